// The address names the view: #w=4,5&f=NAME, with s= for a selected range, t= for a call of a tree. In a page of several pictures each
// name begins with that of the picture, which is the id of its element, or a name of its own; what else the
// address has stays as it is.
const ownName = alone ? '' : nameOfPicture(), prefix = alone ? '' : (root.id || ownName) + '.';
function nameOfPicture() {
  const name = root.classList[1], same = document.querySelectorAll(`svg.${CSS.escape(name)}.living`).length;
  if (!same) return name;
  // a second picture of the same recording: ids are unique in a page
  for (const node of root.querySelectorAll('[id]')) node.id += `-${same + 1}`;
  root.setAttribute('aria-labelledby', root.getAttribute('aria-labelledby').replace(/\S+/g, id => `${id}-${same + 1}`));
  return `${name}-${same + 1}`;
}
const linkNames = ['w', 's', 'f', 't'];
const isOurs = part => linkNames.some(name => part.startsWith(prefix + name + '='));
const hashParts = () => location.hash.slice(1).split('&').filter(Boolean);

function linkOf() {
  const values = { w: viewRange() && rangeName(viewRange()), s: selected && rangeName(selected), f: pattern && encodeURIComponent(pattern), t: tree && treeRoot.index };
  return linkNames.filter(name => values[name]).map(name => `${prefix}${name}=${values[name]}`);
}

let linkTimer = null, linkWritten = null, started = false;
// Browsers refuse many changes of the address within a short time.
function keepLink() {
  if (!started) return;
  clearTimeout(linkTimer);
  linkTimer = setTimeout(writeLink, 200);
}
function writeLink() {
  const others = hashParts().filter(part => !isOurs(part)), own = linkOf();
  if (!alone && own.length && others.some(part => !part.includes('='))) return; // a place of the page
  const hash = [...others, ...own].join('&');
  if (hash === location.hash.slice(1)) return;
  linkWritten = '#' + hash;
  try { history.replaceState(history.state, '', hash ? '#' + hash : location.pathname + location.search); }
  catch (error) { linkWritten = null; } // in a frame without an address
}

function readRange(text) {
  const range = (text || '').split(',').map(Number);
  return range.length === 2 && range.every(isFinite) && range[1] > range[0] && range[0] < to && range[1] > from ? range : null;
}
// Shows what the address names; true: it names something.
function followLink() {
  const values = {};
  for (const part of hashParts().filter(isOurs)) {
    const at = part.indexOf('=');
    values[part.slice(prefix.length, at)] = part.slice(at + 1);
  }
  let text = '';
  try { text = decodeURIComponent(values.f || ''); } catch (error) { text = ''; }
  const range = readRange(values.w), chosen = readRange(values.s);
  selected = chosen;
  if (range) zoom(...range); else if (view !== full) showAll();
  if (!range && chosen) select(chosen);
  if (tree) zoomTree(tree.nodes[values.t] || tree.nodes[0]);
  if (text !== pattern) { if (text) openSearch(text, false); else closeSearch(false); }
  return range || chosen || text;
}
window.addEventListener('hashchange', () => { if (location.hash !== linkWritten) followLink(); });
