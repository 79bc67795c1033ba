// Keys; the calls are one stop of the Tab key.
// All boxes are one stop of the Tab key; arrows move along a row and between rows.
const rowAt = new Map();
for (const item of boxes) {
  const y = topOf(item);
  if (!rowAt.has(y)) rowAt.set(y, []);
  rowAt.get(y).push(item);
}
const rows = [...rowAt.keys()].sort((a, b) => a - b).map(y => rowAt.get(y).sort((a, b) => a.about.start - b.about.start));
rows.forEach((row, r) => row.forEach((item, i) => { item.row = r; item.index = i; }));
let stop = rows.length ? rows[0][0] : null;

function go(item) {
  if (!item) return;
  stop.node.setAttribute('tabindex', -1);
  stop = item;
  stop.node.setAttribute('tabindex', 0);
  if (item.about.end < view.from || item.about.start > view.to) zoomTo(item.about);
  item.node.focus({ preventScroll: true });
}
function neighbour(item, key) {
  if (key === 'ArrowLeft') return rows[item.row][item.index - 1];
  if (key === 'ArrowRight') return rows[item.row][item.index + 1];
  const row = rows[item.row + (key === 'ArrowUp' ? -1 : 1)], middle = (item.about.start + item.about.end) / 2;
  const away = other => Math.max(other.about.start - middle, middle - other.about.end, 0);
  return row && row.reduce((a, b) => away(b) < away(a) ? b : a);
}

root.addEventListener('focusin', event => {
  const item = itemOf.get(event.target);
  if (item && item.about) hover(Math.max(view.from, Math.min((item.about.start + item.about.end) / 2, view.to)), item, topOf(item) + 10);
});

function escape() {
  if (pattern || input === document.activeElement) closeSearch();
  else if (isMenuOpen()) closeMenu();
  else if (selected || pins.length) { pins.length = 0; select(null); drawPins(); }
  else reset();
}
const keys = {
  Escape: escape, Enter: () => zoomToSelection(),
  '/': () => openSearch(),
  '+': () => zoomBy(0.5), '=': () => zoomBy(0.5), '-': () => zoomBy(2), 0: () => reset(),
  b: () => root.classList.toggle('bare'),
  p: () => hovered && pin(hovered.t, hovered.item, hovered.y),
  c: () => copyText(samplesAsCsv()), C: () => copyText(legendAsCsv()), s: () => saveFile(viewAsSvg(), 'image/svg+xml', 'svg'),
  w: () => fitWindow(), m: () => openMenu(),
  ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25),
};
function pressed(event) {
  const item = itemOf.get(event.target), button = event.target.closest && event.target.closest('.button');
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (event.target === input && event.key !== 'Escape') {
    if (event.key === 'Enter') go(boxes.find(box => isHit(box.about)));
    return;
  }
  if (tree && pressedInTree(event)) return event.preventDefault();
  if (button && /^( |Enter)$/.test(event.key)) button.dispatchEvent(new MouseEvent('click'));
  else if (item && item.about && event.key === 'Enter') zoomTo(item.about);
  else if (item && item.about && /^Arrow/.test(event.key) && !event.shiftKey) go(neighbour(item, event.key));
  else if (keys[event.key]) keys[event.key]();
  else return;
  event.preventDefault();
}
// A picture alone in its window handles all keys; within a page, only while it has the focus.
(alone ? document : root).addEventListener('keydown', pressed);
