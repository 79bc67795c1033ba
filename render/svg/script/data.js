// The numbers of the picture: scales, functions, calls, and the points of a path.
const SVG = 'http://www.w3.org/2000/svg', HTML = 'http://www.w3.org/1999/xhtml';
const group = name => root.querySelector(':scope > g.' + name);
const metadata = root.querySelector(':scope > metadata');
const data = JSON.parse(metadata.textContent);
const [left, top, width, height] = data.plot, right = left + width, floor = top + height;
const [lanesTop, lanesHeight] = data.lanes;
const { below } = data;
const [from, to, timeStep] = data.time, [low, high, memoryStep] = data.memory;
const [headroom, small, tickY, tickGap, fixedAxis] = data.page;
const full = { from, to, low, high };
const tenth = x => Math.round(x * 10) / 10;
const fullY = v => floor - (v - low) / (high - low) * height;
// The memory at a place of the axis: places are linear in pixels.
const memoryAt = v => !data.log ? v : v <= low && !fixedAxis ? 0 : low * (high / low) ** ((v - low) / (high - low));
const rowHeight = data.row; // of a function that ran all of the time
let view = full;

const digits = {};
for (let code = 33, digit = 0; code < 127; code++)
  if (!'"&\'<>\\'.includes(String.fromCharCode(code))) digits[code] = digit++;

function reader(text) {
  let at = 0;
  const next = () => {
    for (let value = 0, scale = 1; ; scale *= 44) {
      const digit = digits[text.charCodeAt(at++)];
      if (digit < 44) return value + digit * scale;
      value += (digit - 44) * scale;
    }
  };
  const signed = () => { const n = next(); return n % 2 ? -(n + 1) / 2 : n / 2; };
  return { next, signed, more: () => at < text.length };
}

const functions = data.functions.map(([name, label, calls, colour]) => ({ name, label, calls, colour }));
const abouts = [];
for (const read = reader(data.abouts), last = { t: 0 }; read.more();) {
  const number = read.next();
  if (!number) { abouts.push({}); continue; }
  const about = { number: number - 1, of: functions[number - 1], calls: read.next(), open: read.next() };
  about.start = from + (last.t += read.signed()) * timeStep;
  about.end = about.start + read.signed() * timeStep;
  about.enter = low + read.signed() * memoryStep;
  about.exit = about.enter + read.signed() * memoryStep;
  about.bits = about.calls > 1 ? [read.next(), read.next()] : bits([number - 1]);
  abouts.push(about);
}

// Start and end of a call that was seen in sampled stacks may each be that much earlier or later.
if (data.sampled) for (let read = reader(data.sampled), i = 0; read.more(); i++) abouts[i].sampled = read.next() / 1e6;

function bits(numbers) {
  const words = [0, 0];
  for (const n of numbers) words[n < 32 ? 0 : 1] |= 1 << Math.min(n, 63) % 32;
  return words;
}

// The points of a path as it is drawn: relative but for the first, in lines or in steps.
function pathPoints(node) {
  const points = [];
  let x = 0, y = 0;
  const put = () => points.push([from + (tenth(x) - left) / width * (to - from), low + (floor - tenth(y)) / height * (high - low)]);
  for (const [, letter, text] of node.getAttribute('d').matchAll(/([Mlhv])([^A-Za-z]*)/g)) {
    const numbers = text.match(/-?(\d*\.)?\d+/g).map(Number);
    for (let i = 0; i < numbers.length; put()) {
      if (letter !== 'v') x += numbers[i++];
      if (letter !== 'h') y += numbers[i++];
    }
  }
  return points;
}
