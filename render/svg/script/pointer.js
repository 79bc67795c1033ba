// Mouse.
function place(event) {
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
  return { x, y, t: timeAt(Math.max(left, Math.min(x, right))), inside: x >= left && x <= right && y >= top && y <= below };
}

const callAt = event => {
  const item = itemOf.get(event.target), owner = item && (item.owner || item);
  return owner && owner.about && owner.about.of ? owner : null;
};

let drag = null, waiting = null;
root.addEventListener('pointermove', event => {
  if (!waiting) requestAnimationFrame(() => { const last = waiting; waiting = null; moved(last); });
  waiting = event;
});
function moved(event) {
  const at = place(event);
  if (drag && !event.buttons) drag = null;
  if (!drag) return hover(at.inside ? at.t : null, callAt(event), at.y);
  clear(readout);
  const x0 = Math.min(X(drag.t), X(at.t)), x1 = Math.max(X(drag.t), X(at.t));
  add(readout, 'rect', { class: 'part range', x: tenth(x0), y: top, width: tenth(x1 - x0), height: tenth(below - top) });
  const [a, b] = [drag.t, at.t].sort((s, u) => s - u);
  showPanel([[`${moment(a)} \u2013 ${moment(b)}`, 'tip head'], [duration(b - a), 'tip']], x1, at.y);
}
root.addEventListener('pointerleave', () => { if (!drag) { waiting = null; requestAnimationFrame(() => { if (!waiting) hover(null); }); } });

// With Shift, dragging selects text.
root.addEventListener('mousedown', event => {
  if (event.button || event.shiftKey || !place(event).inside) return;
  event.preventDefault();
  root.focus({ preventScroll: true });
});
root.addEventListener('pointerdown', event => {
  const at = place(event);
  if (event.button || event.shiftKey || !at.inside) return;
  drag = { x: event.clientX, t: at.t, item: callAt(event) };
  document.addEventListener('pointerup', drop, { once: true });
});
function drop(event) {
  const { x, t, item } = drag;
  drag = null;
  clear(readout);
  if (Math.abs(event.clientX - x) >= 4) { const end = place(event).t; zoom(Math.min(t, end), Math.max(t, end)); }
  else if (item) zoomTo(item.about);
}
root.addEventListener('dblclick', event => { if (place(event).inside) reset(); });
root.addEventListener('wheel', event => {
  const at = place(event);
  if (!event.ctrlKey || !at.inside) return;
  event.preventDefault();
  zoomBy(Math.exp(Math.sign(event.deltaY) * 0.3), at.t);
}, { passive: false });
