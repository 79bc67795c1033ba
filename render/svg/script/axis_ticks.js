// Ticks of both axes, by the rules of time_ticks.c and memory_ticks.c.
const day = 86400;
const timeSteps = [];
for (let power = -6; power < 0; power++) timeSteps.push(...[1, 2, 5].map(n => +`${n}e${power}`));
timeSteps.push(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, day,
  2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day, 3640 * day, 36400 * day, 1e11, 1e12, 1e13, 1e14);

function relative(s, step, end) {
  const whole = Math.round(s), minutes = Math.floor(whole / 60), hours = Math.floor(whole / 3600);
  if (data.share) return fixed(s, step < 1 ? Math.ceil(-Math.log10(step) - 1e-9) : 0) + ' %';
  if (!s) return end < 60 ? '0 s' : '0';
  if (end < 1e-3) return fixed(s * 1e6, 0) + ' \u00b5s';
  if (step < 0.1 && end < 1) return fixed(s * 1e3, step >= 1e-3 ? 0 : step >= 1e-4 ? 1 : step >= 1e-5 ? 2 : 3) + ' ms';
  if (step < 1) {
    const places = step >= 0.1 ? 1 : step >= 0.01 ? 2 : step >= 1e-3 ? 3 : 6;
    return s < 60 ? fixed(s, places) + ' s' : `${Math.floor(s / 60)} min ${fixed(s % 60, places).padStart(places + 3, '0')} s`;
  }
  if (end < 60) return whole + ' s';
  if (whole < 3600 || end < 3600)
    return whole % 60 === 0 ? minutes + ' min' : whole < 60 ? whole + ' s' : `${minutes} min ${two(whole % 60)} s`;
  if (whole < day || end < 1.5 * day)
    return whole % 60 ? `${hours} h ${two(minutes % 60)} min ${two(whole % 60)} s` : whole % 3600 ? `${hours} h ${two(minutes % 60)} min` : hours + ' h';
  return Math.floor(whole / day) + ' d' + (whole % day ? ` ${hours % 24} h` : '');
}

function calendarTicks(step) {
  const ticks = [], first = Math.floor((origin + zone + view.from) / day) * day - origin - zone;
  const text = (s, options) => local(s).toLocaleString('en', { timeZone: 'UTC', ...options });
  for (let s = first; s <= view.to && ticks.length < 32; s += step)
    if (s >= view.from) ticks.push([s, local(s).getUTCHours() ? `${two(local(s).getUTCHours())}:00`
      : view.to - view.from > 300 * day ? `${local(s).getUTCDate()} ${text(s, { month: 'short' })} ${local(s).getUTCFullYear()}`
      : `${text(s, { weekday: 'short' })} ${local(s).getUTCDate()} ${text(s, { month: 'short' })}`]);
  return ticks;
}

function timeTicks() {
  const span = view.to - view.from, ticks = [];
  const step = timeSteps.find(one => {
    const room = width * one / span, last = Math.floor(view.to / one);
    const wide = Math.max(...[last, last - 1].map(n => textWidth(relative(n * one, one, view.to), 'tick')));
    return room >= (!small ? 80 : span < 1.5 * day ? 44 : 96) && wide + (small ? wide : 40) <= room;
  }) || 1e14;
  if (span >= 1.5 * day && dated && step >= 3600 && step <= 3640 * day)
    return calendarTicks(Math.max(step, 21600));
  for (let n = Math.ceil(view.from / step - 1e-9); n * step <= view.to + step * 1e-9 && ticks.length < 32; n++)
    ticks.push([n * step, relative(n * step, step, view.to)]);
  return ticks;
}

const roundStep = least => {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find(n => least / power <= n * 1.0000001);
};
function memoryStepOf(bottom, end, highest) {
  const span = end - bottom, fifth = (highest - bottom) / 5 * (1 + 1e-9);
  const least = roundStep(span / Math.max(1, Math.min(Math.max(Math.min(3, height / 10), height / 38), 7)));
  const near = step => {
    const above = Math.ceil(highest / step - 1e-9) * step, below = Math.floor(highest / step + 1e-9) * step;
    return highest - below <= fifth || above <= end && above - highest <= fifth;
  };
  for (let step = least; step <= span * 1.001; step = roundStep(step * 1.5)) if (near(step)) return step;
  for (let step = roundStep(least / 2.6); step >= least / 11 && height * step / span >= 10; step = roundStep(step / 2.6))
    if (near(step)) return step;
  return least;
}

const placesOf = step => step >= 1 ? 0 : Math.ceil(-Math.log10(step) - 1e-9);
function logTicks() {
  const [scale, name] = data.unit || memoryUnits[view.high < 1 ? 0 : view.high < 1e5 ? 1 : 2], bottom = view.low / scale, end = view.high / scale, ticks = [];
  const tall = height / Math.log10(end / bottom), every = Math.ceil(14 / tall);
  for (let n = Math.floor(Math.log10(bottom) + 1e-9); ticks.length < 32 && 10 ** n <= end * (1 + 1e-9); n += every)
    for (const shown of (tall >= 114 ? [1, 2, 5] : [1]).map(times => times * 10 ** n))
      if (shown >= bottom * (1 - 1e-9) && shown <= end * (1 + 1e-9)) ticks.push([shown * scale, `${fixed(shown, placesOf(10 ** n))} ${name}`]);
  return ticks;
}

function memoryTicks() {
  const decades = data.log ? logTicks() : [];
  if (decades.length > 2 || decades.length > 1 && view.high >= 10 * view.low) return decades;
  let unit = 0;
  while (unit < 3 && view.high >= memoryUnits[unit + 1][0]) unit++;
  const [scale, name] = data.unit || memoryUnits[unit], bottom = view.low / scale, end = view.high / scale, ticks = [];
  const step = memoryStepOf(bottom, end, bottom + (end - bottom) * (height - headroom) / height);
  const places = placesOf(step);
  for (let n = Math.ceil(bottom / step - 1e-9); n * step <= end * (1 + 1e-12) && ticks.length < 32; n++)
    ticks.push([n * step * scale, n <= 0 ? '0' : `${fixed(n * step, places)} ${name}`]);
  return ticks;
}
