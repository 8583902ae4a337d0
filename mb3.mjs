import { buildEntry } from './dist/src/audit/core/entry.js';
import { canonicalJson } from './dist/src/shared/canonical-json.js';
import { ENTRY_DATA_SCHEMAS } from './dist/src/audit/core/entry-types.js';
import { randomUUID, hash, createHash } from 'node:crypto';
const e=()=>{const id=`ast_${randomUUID().replaceAll('-','')}`;return {type:'asset.released',at:new Date().toISOString(),actor:{kind:'system',id:'bench'},subject:{kind:'asset',id},data:{assetId:id,sha256:'a'.repeat(64)}}};
function t(name,n,f){for(let i=0;i<n/5;i++)f();let best=1e9;for(let k=0;k<9;k++){const s=performance.now();for(let i=0;i<n;i++)f();best=Math.min(best,performance.now()-s)}console.log(name.padEnd(30),(best/n*1000).toFixed(2),'us')}
const x={v:1,...e()};
const SPECIAL=/[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const quote=s=>SPECIAL.test(s)?JSON.stringify(s):`"${s}"`;
function sortKeys(keys){for(let i=1;i<keys.length;i++){const k=keys[i];let j=i-1;while(j>=0&&keys[j]>k){keys[j+1]=keys[j];j--}keys[j+1]=k}return keys}
function ser(v){ if(typeof v==='string')return quote(v); if(typeof v==='number'){if(!Number.isFinite(v))throw new TypeError('x');return String(v)} if(v===null)return 'null';if(typeof v==='boolean')return v?'true':'false';
 if(Array.isArray(v)){let o='[';for(let i=0;i<v.length;i++){if(i)o+=',';o+=ser(v[i])}return o+']'}
 let o='{',first=true;for(const k of sortKeys(Object.keys(v))){const m=v[k];if(m===undefined)continue;if(!first)o+=',';first=false;o+=quote(k)+':'+ser(m)}return o+'}'}
console.log(ser(x)===canonicalJson(x).toString());
t('old',20000,()=>canonicalJson(x));
t('direct',20000,()=>Buffer.from(ser(x),'utf8'));
function sc(v){if(typeof v!=='object'||v===null)return v;if(Array.isArray(v))return v.map(sc);const c={};for(const k of sortKeys(Object.keys(v))){const m=v[k];if(m!==undefined)c[k]=sc(m)}return c}
t('copy+stringify',20000,()=>Buffer.from(JSON.stringify(sc(x)),'utf8'));
t('hash latin1->buf',20000,()=>Buffer.from(hash('sha256',x.data.sha256,'latin1'),'latin1'));
t('hash buf',20000,()=>hash('sha256',x.data.sha256,'buffer'));
