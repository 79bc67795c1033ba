// Mouse and touch. A drag selects a range; in a zoomed picture it moves along the time, and with Shift, or
// along the time axis, it selects. The wheel zooms over the plot. Where it has to scroll something, as a page
// around the picture or a tall chart, it zooms only with Ctrl or after a click into the plot.
function place(event) {
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
  return { x, y, t: timeAt(Math.max(left, Math.min(x, right))), inside: x >= left && x <= right && y >= top && y <= below,
    onAxis: x >= left && x <= right && y > below && y <= labelY + 6 };
}

const callOf = node => {
  const item = itemOf.get(node), owner = item && (item.owner || item);
  return owner && owner.about && owner.about.of ? owner : null;
};
// A bracket is thin: it counts within 3 px of the middle of its line, as in hit_test.c.
const around = [];
for (const far of [1, 2.25])
  for (let i = 0; i < 8; i++) around.push([far * Math.cos(i * Math.PI / 4), far * Math.sin(i * Math.PI / 4)]);
function callAt(event) {
  const call = callOf(event.target), page = root.getRootNode(), scale = root.getScreenCTM().a;
  if (call) return call;
  for (const [x, y] of around) {
    const node = page.elementFromPoint(event.clientX + x * scale, event.clientY + y * scale);
    if (node && node.classList.contains('bracket')) return callOf(node);
  }
  return null;
}
const isControl = event => event.target.closest && event.target.closest('.button, .toggle, .held, input');
const alone = document.documentElement === root;

let drag = null, waiting = null;
const touches = new Map(); // fingers: places on the screen
let pinch = null;
root.addEventListener('pointermove', event => {
  if (touches.has(event.pointerId)) touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (!waiting) requestAnimationFrame(() => { const last = waiting; waiting = null; if (last) moved(last); });
  waiting = event;
});
function moved(event) {
  const at = place(event);
  if (pinch) return movePinch();
  if (drag && event.pointerType !== 'touch' && !event.buttons) drag = null;
  if (tree && !drag && hoverTree(event)) return;
  if (!drag) return isControl(event) ? hover(null) : hover(at.inside ? at.t : null, callAt(event), at.y);
  drag.far = drag.far || Math.abs(event.clientX - drag.x) >= 4;
  if (!drag.far) return;
  if (drag.selects) return drawRange(drag.t, at);
  hover(null);
  panAlong(event);
  if (alone && event.pointerType !== 'touch') window.scrollBy(0, -event.movementY);
}
function panAlong(event) {
  panTo(drag.from - (event.clientX - drag.x) / (root.getScreenCTM().a * width) * (drag.to - drag.from));
}
function drawRange(t, at) {
  clear(readout);
  const [a, b] = [t, at.t].sort((s, u) => s - u);
  add(readout, 'rect', { class: 'part range', x: tenth(X(a)), y: top, width: tenth(X(b) - X(a)), height: tenth(below - top) });
  drawPanel(readout, selectionLines(b > a ? rounded(a, b) : [a, b]), X(b), at.y);
}
root.addEventListener('pointerleave', () => { if (!drag && !pinch) { waiting = null; requestAnimationFrame(() => { if (!waiting) hover(null); }); } });

root.addEventListener('mousedown', event => {
  const at = place(event);
  if (event.button || isControl(event) || !(at.inside || at.onAxis)) return;
  event.preventDefault();
  root.focus({ preventScroll: true });
});
root.addEventListener('pointerdown', event => {
  const at = place(event);
  if (event.button || isControl(event) || !(at.inside || at.onAxis)) return;
  if (event.pointerType === 'touch') {
    touches.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (touches.size === 2) return startPinch();
  }
  waiting = null; // a move from before, without a button
  drag = { x: event.clientX, t: at.t, y: at.y, item: callAt(event), selects: view === full || isWhole() || event.shiftKey || at.onAxis, from: view.from, to: view.to, onAxis: at.onAxis };
  root.classList.toggle('panning', !drag.selects);
});
document.addEventListener('pointerup', drop);
document.addEventListener('pointercancel', event => { touches.delete(event.pointerId); drag = pinch = null; clear(readout); root.classList.remove('panning'); });
function drop(event) {
  if (pinch && touches.has(event.pointerId)) movePinch(); // not every move was drawn
  touches.delete(event.pointerId);
  root.classList.remove('panning');
  if (pinch) { if (!touches.size) pinch = null; return; }
  if (!drag) return;
  const { x, t, y, item, selects, far, onAxis } = drag;
  if (far && !selects) panAlong(event);
  waiting = drag = null;
  clear(readout);
  if (far || Math.abs(event.clientX - x) >= 4) { if (selects) select([t, place(event).t]); }
  else if (item) zoomTo(item.about);
  else if (!onAxis) clicked(t, y, event);
}

// A click pins the tooltip; the second of a double click shows everything.
let lastClick = { time: -Infinity };
function clicked(t, y, event) {
  const again = event.timeStamp - lastClick.time < 400 && Math.hypot(event.clientX - lastClick.x, event.clientY - lastClick.y) < 6;
  if (again) { pins.splice(0, pins.length, ...lastClick.pins); return drawPins(); }
  lastClick = { time: event.timeStamp, x: event.clientX, y: event.clientY, pins: [...pins] };
  pin(t, null, y);
}
root.addEventListener('dblclick', event => { if (place(event).inside && !isControl(event)) reset(); });

// Two fingers: the moments under them stay under them.
function startPinch() {
  drag = null;
  clear(readout);
  const [p, q] = pinchPlaces();
  pinch = { from: timeAt(Math.min(p, q)), to: timeAt(Math.max(p, q)) };
}
const pinchPlaces = () => [...touches.values()].slice(0, 2).map(({ x, y }) => new DOMPoint(x, y).matrixTransform(root.getScreenCTM().inverse()).x);
function movePinch() {
  if (touches.size < 2) return;
  const [p, q] = pinchPlaces().sort((a, b) => a - b), perPixel = (pinch.to - pinch.from) / Math.max(8, q - p), begin = pinch.from - (p - left) * perPixel;
  zoom(begin, begin + perPixel * width);
}

// ---- wheel ----

const scrolls = () => document.documentElement.scrollHeight > innerHeight + 1;
const hasFocus = () => root.contains(document.activeElement);
function takesWheel(event, at) {
  if (!at.inside) return false;
  if (event.ctrlKey || event.metaKey) return true;
  return alone ? !scrolls() || at.y <= floor || hasFocus() && document.activeElement !== document.documentElement : hasFocus();
}
let hint = null;
root.addEventListener('wheel', event => {
  const at = place(event);
  if (!takesWheel(event, at)) {
    if (at.inside && !alone) showHint();
    return;
  }
  const unit = [1, 33, innerHeight][event.deltaMode], dx = (event.shiftKey ? event.deltaY || event.deltaX : event.deltaX) * unit, dy = event.shiftKey ? 0 : event.deltaY * unit;
  if (Math.abs(dx) > Math.abs(dy)) {
    if (isWhole()) return;
    event.preventDefault();
    return panTo(view.from + dx / (root.getScreenCTM().a * width) * (view.to - view.from));
  }
  if (isWhole() && dy > 0 && !event.ctrlKey) return; // nothing is left to show: the page scrolls
  event.preventDefault();
  zoomBy(Math.exp(Math.max(-0.6, Math.min(dy * 0.003, 0.6))), at.t);
}, { passive: false });

// Within a page the wheel scrolls the page, until the reader has clicked into the picture.
function showHint() {
  clearTimeout(hint);
  status.textContent = 'Ctrl and the wheel zoom, or click first';
  hint = setTimeout(() => { status.textContent = searchStatus; }, 1500);
}
