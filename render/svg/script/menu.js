// What can be done, in a panel below its button, with the keys that do it.
const actions = [
  ['p', 'pin this tooltip; a second one shows the difference'], ['c', 'copy the samples shown as CSV'], ['C', 'copy the legend as CSV'],
  ['s', 'save what is shown as SVG'], ['w', 'fit the picture to the window'], ['b', 'hide or show brackets'], ['0', 'show everything'],
];

const isMenuOpen = () => menu.firstChild !== null;
function closeMenu() {
  clear(menu);
  menuButton.setAttribute('aria-expanded', 'false');
}
function openMenu() {
  if (isMenuOpen()) return closeMenu();
  const wide = Math.max(...actions.map(([, text]) => textWidth(text, 'tip'))) + 44, x = Math.min(right - wide, root.viewBox.baseVal.width - wide - 2), y = 24;
  add(menu, 'rect', { class: 'part panel held', x: tenth(x), y, width: tenth(wide), height: actions.length * 18 + 8, rx: 4 });
  actions.forEach(([key, text], i) => {
    const node = add(menu, 'g', { class: 'button entry', role: 'menuitem', tabindex: 0, 'aria-label': text }), line = y + 4 + i * 18;
    add(node, 'rect', { x: tenth(x + 4), y: line, width: tenth(wide - 8), height: 18, rx: 3 });
    add(node, 'text', { class: 'key', x: tenth(x + 16), y: line + 13, 'text-anchor': 'middle' }, key);
    add(node, 'text', { x: tenth(x + 30), y: line + 13 }, text);
    node.addEventListener('click', () => { closeMenu(); keys[key](); });
  });
  menuButton.setAttribute('aria-expanded', 'true');
  menu.querySelector('.button').focus({ preventScroll: true });
}
