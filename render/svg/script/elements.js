// Adding and changing elements; what reset() restores.
function add(parent, name, attributes = {}, text) {
  const node = document.createElementNS(name === 'input' ? HTML : SVG, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== undefined) node.textContent = text;
  return parent.appendChild(node);
}

const layer = (name, next) => root.insertBefore(add(root, 'g', { class: name }), next);

// Original attribute values, for reset().
const original = new Map();
function change(node, values) {
  if (!original.has(node)) original.set(node, {});
  const kept = original.get(node);
  for (const name in values) {
    if (!(name in kept)) kept[name] = node.getAttribute(name);
    setOrRemove(node, name, values[name]);
  }
}
function setOrRemove(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}
