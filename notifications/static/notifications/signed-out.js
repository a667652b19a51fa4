function t(t,e){try{return t()}catch{return e}}var e=/^carillon-(?:draft|outbox) (\S+) /;!function(o,r=()=>!0){t(()=>{for(let t of Object.keys(o??{})){let[,c]=e.exec(t)??[];c&&r(c)&&o?.removeItem(t)}})}(t(()=>globalThis.localStorage));
//# sourceMappingURL=signed-out.js.map
