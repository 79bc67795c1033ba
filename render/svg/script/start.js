// Prepares the picture.
['memory-axis', 'time-axis', 'names', 'peak-parts'].forEach(name => group(name) && group(name).classList.add('fixed'));
const facts = group('page').querySelector('.facts'), factsY = facts ? +facts.getAttribute('y') : top < 40 ? 15 : top - 13;
if (facts) facts.classList.add('fixed');
if (group('columns')) group('columns').remove();
const axes = layer('axes', group('curves'));
add(axes.parentNode.insertBefore(add(root, 'g'), group('curves')), 'rect', { class: 'field', x: left, y: top, width, height: below - top });
const captions = layer('lanes captions', (group('lanes') || metadata).nextSibling);
const marks = layer('marks', group('names'));
const names = layer('names', group('names').nextSibling);
const heading = layer('page', metadata);
const readout = layer('readout', metadata);

function button(text, y, name, act) {
  const wide = textWidth(text, 'tick') + 14;
  const node = add(root, 'g', { class: 'button', role: 'button', tabindex: 0, 'aria-label': name });
  add(node, 'rect', { x: Math.round(right - wide) + 0.5, y, width: Math.round(wide), height: 17, rx: 3 });
  add(node, 'text', { x: tenth(right - wide / 2), y: y + 12, 'text-anchor': 'middle' }, text);
  node.addEventListener('click', act);
  return node;
}
const searchButton = button('search /', 3.5, 'Search functions', () => openSearch());
const resetButton = button('reset Esc', factsY - 12.5, 'Show all of the time', reset);
resetButton.setAttribute('display', 'none');
if (!functions.length || top < 40) searchButton.setAttribute('visibility', 'hidden');
const fieldWidth = Math.min(200, width / 3);
const field = add(root, 'foreignObject', { x: right - fieldWidth, y: 3, width: fieldWidth, height: 18, display: 'none' });
const input = add(field, 'input', { type: 'search', 'aria-label': 'Search functions', placeholder: 'part of a name, or a pattern', spellcheck: 'false' });
input.addEventListener('input', () => search(input.value));
const status = add(root, 'text', { class: 'status', role: 'status', 'aria-live': 'polite', 'text-anchor': 'end', x: right - fieldWidth - 8, y: 15.5 });
const legend = group('legend');
if (legend) legend.addEventListener('click', event => {
  const text = event.target.classList.contains('legend-name') && event.target.textContent.replace(/\u2026$/, '');
  const one = text && functions.find(other => other.label.startsWith(text));
  if (one) openSearch('^' + one.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') + '$');
});

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
root.classList.add('living');
