// Pinned tooltips: at most two, with the difference between them. They list everything, and scroll.
const pins = []; // { t, item, y, first }
const PIN_ROWS = 14;

function pin(t, item, y) {
  if (pins.length === 2) pins.shift();
  pins.push({ t, item, y, first: 0 });
  pins.sort((a, b) => a.t - b.t);
  hover(null);
  drawPins();
}
function unpin(one) {
  pins.splice(pins.indexOf(one), 1);
  drawPins();
}

function drawPins() {
  clear(pinned);
  const shown = pins.filter(one => inside(one.t)).map(one => ({ one, found: describe(one.t, one.item, 500) }));
  for (const { one, found } of shown) {
    const node = add(pinned, 'g', { class: 'pin', role: 'group', 'aria-label': `Pinned at ${moment(found.t)}` });
    drawMoment(node, found);
    const scroll = step => {
      const last = Math.max(0, found.lines.length - PIN_ROWS), next = Math.max(0, Math.min(one.first + step, last));
      if (next !== one.first) { one.first = next; drawPins(); }
      return last > 0;
    };
    const box = one.box = drawPanel(node, found.lines, X(found.t), one.y, { rows: PIN_ROWS, first: one.first, foot: 22 });
    addPanelButton(node, '\u00d7', 'Remove the pinned tooltip', box.x + 8, box.y + box.height - 22, () => unpin(one));
    const panel = node.querySelector('.panel');
    panel.classList.add('held');
    one.scroll = scroll;
    panel.addEventListener('wheel', event => { if (scroll(Math.sign(event.deltaY) * 3)) event.preventDefault(); event.stopPropagation(); }, { passive: false });
  }
  if (shown.length === 2) drawDifference(...shown.map(({ found }) => found), ...shown.map(({ one }) => one.box));
}

function drawDifference(a, b, first, second) {
  const lines = [[`${duration(b.t - a.t)} apart`, 'tip head']];
  for (const [name, v] of b.memories) {
    const before = a.memories.get(name);
    if (before !== undefined && lines.length < PIN_ROWS)
      lines.push([`${name}  ${changed(v - before)}  (${memory(before)} \u2192 ${memory(v)})`, 'tip', undefined, v - before]);
  }
  const node = add(pinned, 'g', { class: 'difference', role: 'status' });
  pinned.insertBefore(add(node, 'path', { class: 'part span', d: `M${tenth(X(a.t))} ${floor - 4}H${tenth(X(b.t))}` }), pinned.firstChild);
  drawPanel(node, lines, 0, 0, { at: freePlace(panelSize(lines), first, second) });
}

// Where a panel covers neither of two others: between them, next to them, or below them.
function freePlace({ width: wide, height: tall }, first, second) {
  const page = root.viewBox.baseVal, boxes = [first, second];
  const covers = ({ x, y }) => boxes.some(box => x < box.x + box.width && box.x < x + wide && y < box.y + box.height && box.y < y + tall);
  const bottom = Math.max(...boxes.map(box => box.y + box.height)), places = [
    { x: (first.x + first.width + second.x - wide) / 2, y: top + 4 }, { x: first.x + first.width + 6, y: top + 4 }, { x: second.x + second.width + 6, y: top + 4 },
    { x: first.x - wide - 24, y: top + 4 }, { x: first.x, y: bottom + 6 }];
  return places.find(one => one.x >= 2 && one.x + wide <= page.width - 2 && one.y + tall <= page.height - 2 && !covers(one)) || { x: Math.max(2, Math.min(first.x, page.width - wide - 2)), y: Math.max(2, page.height - tall - 2) };
}
