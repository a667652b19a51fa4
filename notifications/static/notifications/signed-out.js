function o(t,e){try{return t()}catch{return e}}var s=()=>o(()=>globalThis.localStorage);var a=/^carillon-(?:draft|outbox) (\S+) /;function i(t,e=()=>!0){o(()=>{for(let n of Object.keys(t??{})){let[,r]=a.exec(n)??[];r&&e(r)&&t?.removeItem(n)}})}i(s());
//# sourceMappingURL=signed-out.js.map
