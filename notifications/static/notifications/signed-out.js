function o(t,e){try{return t()}catch{return e}}var s=()=>o(()=>globalThis.localStorage);var l=/^carillon-(?:draft|outbox) (\S*) (\S+) /;function i(t,e="",a){o(()=>{for(let n of Object.keys(t??{})){let[,c,r]=l.exec(n)??[];r&&c===e&&a(r)&&t?.removeItem(n)}})}var u=document.querySelector("script[data-carillon-site]");i(s(),u?.dataset.carillonSite,()=>!0);
//# sourceMappingURL=signed-out.js.map
