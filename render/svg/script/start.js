// Prepares the picture.
['memory-axis', 'time-axis', 'names', 'peak-parts'].forEach(name => group(name) && group(name).classList.add('fixed'));
const facts = group('page').querySelector('.facts'), factsY = facts ? +facts.getAttribute('y') : top < 40 ? 15 : top - 13;
if (facts) facts.classList.add('fixed');
if (group('columns')) group('columns').remove();
const axes = layer('axes', group('curves'));
add(axes.parentNode.insertBefore(add(root, 'g'), group('curves')), 'rect', { class: 'field', x: left, y: top, width, height: below - top });
const detailLayer = layer('lanes captions details', (group('lanes') || metadata).nextSibling);
const wings = layer('lanes captions wings', detailLayer.nextSibling);
const captions = layer('lanes captions', wings.nextSibling);
const marks = layer('marks', group('names'));
const names = layer('names', group('names').nextSibling);
const heading = layer('page', metadata);
const readout = layer('readout', metadata);

const selection = layer('readout selection', metadata);
const pinned = layer('readout pins', metadata);

function button(text, end, y, name, act) {
  const wide = textWidth(text, 'tick') + 14;
  const node = add(root, 'g', { class: 'button', role: 'button', tabindex: 0, 'aria-label': name });
  add(node, 'rect', { x: Math.round(end - wide) + 0.5, y, width: Math.round(wide), height: 17, rx: 3 });
  add(node, 'text', { x: tenth(end - wide / 2), y: y + 12, 'text-anchor': 'middle' }, text);
  node.addEventListener('click', act);
  return node;
}
const searchButton = button('search /', right, 3.5, 'Search functions and processes', () => openSearch());
const menuButton = button('more m', right - textWidth('search /', 'tick') - 20, 3.5, 'More actions', () => openMenu());
menuButton.setAttribute('aria-haspopup', 'menu');
menuButton.setAttribute('aria-expanded', 'false');
const resetButton = button('reset Esc', right, factsY - 12.5, 'Show all of the time', () => reset());
resetButton.setAttribute('display', 'none');
if (!functions.length && !(data.window && data.window.rows.length) || top < 40) searchButton.setAttribute('visibility', 'hidden');
if (top < 40) menuButton.setAttribute('visibility', 'hidden');
const fieldWidth = Math.min(200, width / 3);
const field = add(root, 'foreignObject', { x: right - fieldWidth, y: 3, width: fieldWidth, height: 18, display: 'none' });
const input = add(field, 'input', { type: 'search', 'aria-label': 'Search functions and processes', placeholder: 'part of a name, or a pattern', spellcheck: 'false' });
input.addEventListener('input', () => search(input.value));
const status = add(root, 'text', { class: 'status', role: 'status', 'aria-live': 'polite', 'text-anchor': 'end', x: right - fieldWidth - 8, y: 15.5 });
const menu = layer('readout menu', null);

// A click on a name searches it; one on its colour hides or shows it.
for (const tables of [legend, ownLegend])
  if (tables) tables.addEventListener('click', event => {
    const [text] = event.target.classList.contains('legend-name') ? event.target.textContent.split('\u2026') : [''];
    const names = [...functions.map(one => [one.label, one.name]), ...(data.window ? data.window.rows.map(([, name]) => [name, name]) : [])];
    const found = text && names.find(([label]) => label.startsWith(text));
    if (found) openSearch('^' + found[1].replace(/[.*+?^${}()|[\]\\]/g, '\\$&') + '$');
  });
connectLegend();

root.setAttribute('role', 'graphics-document document');
root.setAttribute('tabindex', 0);
for (const item of items) {
  if (!item.about || !item.about.text || item.kind === 'names') continue;
  item.node.setAttribute('role', 'graphics-symbol');
  item.node.setAttribute('aria-label', item.about.text);
  if (item.row === undefined) continue;
  item.node.setAttribute('aria-roledescription', item.about.calls > 1 ? 'calls' : 'call');
  item.node.setAttribute('tabindex', item === stop ? 0 : -1);
}
if (tree) startTree();
root.classList.add('living');

followLink();
started = true;
// So that the first zoom is as fast as others: numbers are read, fonts are known, and what is called most is compiled.
(window.requestIdleCallback || setTimeout)(() => {
  numbersOfWindows();
  for (const item of items) if (item.points) path(shownOf(item));
  for (const role of ['facts', 'tick', 'box-name', 'bracket-name', 'child-name', 'legend-name', 'tip', 'tip head']) textWidth('x', role);
});
