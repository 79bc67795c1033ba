// Sums of a part of the time, as the parser computes them for a window: nesting.c, high_water_marks.c
// and curve.c. From bins of many calls or samples they are estimates.
let windowNumbers = null; // read when they are first needed

function readSeries(read, perSecond, perMib) {
  const count = read.next(), series = { t: new Float64Array(count), v: new Float64Array(count), high: new Float64Array(count), n: new Float64Array(count), end: new Uint8Array(count) };
  for (let i = 0, time = read.signed(), pause = 0, value = 0; i < count; i++) {
    const step = read.signed(), half = Math.floor(step / 2);
    time += pause += half;
    value += read.signed();
    series.t[i] = from + time / perSecond;
    series.v[i] = value / perMib;
    series.end[i] = step - 2 * half;
    series.n[i] = data.window.means ? read.next() : 1;
    series.high[i] = data.window.means ? (value + read.signed()) / perMib : series.v[i];
  }
  return series;
}

function readCalls(read, perSecond, perMib) {
  const calls = [];
  for (let time = 0, value = 0; read.more();) {
    const series = read.next() - 1, line = read.next() - 1, lane = read.next();
    for (let n = read.next(); n > 0; n--) {
      const code = read.next(), start = time += read.signed(), length = read.next(), enter = value + read.signed();
      value = enter + read.signed();
      calls.push({ number: code >> 2, outermost: (code & 2) > 0, series, line, lane, start: from + start / perSecond, end: from + (start + length) / perSecond,
        enter: enter / perMib, exit: value / perMib, count: code & 1 ? read.next() : 1 });
    }
  }
  return calls;
}

function readBins(read, perSecond, perMib) {
  const bins = [];
  for (let number = 0, last = -1, bin = 0; read.more(); last = number) {
    number += read.next();
    bin = (number === last ? bin : 0) + read.next();
    bins.push({ number, bin, starts: read.next(), ends: read.next(), busy: read.next() / perSecond, longest: read.next() / perSecond,
      change: read.signed() / perMib, peak: read.signed() / perMib });
  }
  return bins;
}

function numbersOfWindows() {
  if (windowNumbers || !data.window) return windowNumbers;
  const [perSecond, perMib] = data.window.units, read = reader(data.window.samples), calls = reader(data.window.calls), series = [];
  while (read.more()) series.push(readSeries(read, perSecond, perMib));
  (data.window.held || []).forEach((until, i) => { if (until !== null && series[i]) series[i].until = until; });
  windowNumbers = { series, calls: data.window.bins ? [] : readCalls(calls, perSecond, perMib), bins: data.window.bins ? readBins(calls, perSecond, perMib) : [],
    rows: data.window.rows.map(([kind, name, swatch, colour, end, endTime, members, pids], order) => ({ kind, name, swatch, colour, end, endTime, members, pids, order })) };
  return windowNumbers;
}

// The first index whose time is not before t.
function firstFrom(times, t) {
  let a = 0, b = times.length;
  while (a < b) { const half = (a + b) >> 1; if (times[half] < t) a = half + 1; else b = half; }
  return a;
}

// The highest sample between two indices, by a tree of the highest of each pair.
function highestOf(series, i, j) {
  if (!series.tree) {
    const n = series.t.length;
    series.tree = new Float64Array(2 * n).fill(-Infinity);
    for (let k = 0; k < n; k++) if (!series.end[k]) series.tree[n + k] = series.high[k];
    for (let k = n - 1; k > 0; k--) series.tree[k] = Math.max(series.tree[2 * k], series.tree[2 * k + 1]);
  }
  let highest = -Infinity;
  const n = series.t.length;
  for (let a = n + i, b = n + j; a < b; a >>= 1, b >>= 1) {
    if (a & 1) highest = Math.max(highest, series.tree[a++]);
    if (b & 1) highest = Math.max(highest, series.tree[--b]);
  }
  return highest;
}

// Samples of a series in a part of the time; null: none.
function seriesIn(series, a, b) {
  const first = firstFrom(series.t, a), sum = { count: 0, samples: 0, total: 0, peak: -Infinity, time: NaN, lowest: Infinity };
  for (let i = first; i < series.t.length && series.t[i] <= b; i++) {
    sum.count += series.n[i];
    sum.samples += series.end[i] ? 0 : series.n[i];
    if (!series.end[i]) sum.total += series.v[i] * series.n[i]; // values of calls are in the peak, not in the mean
    sum.lowest = Math.min(sum.lowest, series.v[i]);
    if (series.high[i] > sum.peak) { sum.peak = series.high[i]; sum.time = series.t[i]; }
    sum.last = series.t[i];
  }
  if (!sum.count) return null;
  return { ...sum, mean: sum.samples ? sum.total / sum.samples : NaN, first: series.t[first], lasted: sum.last - series.t[first] };
}

// Of each curve, the edges of calls next to a moment: the latest before it, the earliest after it. A process
// without a sample in the window has no curve to which its calls could add.
function neighbours(calls, t, a, b) {
  const near = new Map(), sampled = new Map();
  for (const call of calls) {
    if (call.line < 0) continue;
    if (!sampled.has(call.line)) sampled.set(call.line, !call.line || ((seriesIn(windowNumbers.series[call.line], a, b) || {}).samples > 0));
    if (!sampled.get(call.line)) continue;
    if (!near.has(call.line)) near.set(call.line, { before: null, after: null });
    const one = near.get(call.line);
    for (const [time, v] of [[call.start, call.enter], [call.end, call.exit]])
      if (time < t) { if (!one.before || time >= one.before[0]) one.before = [time, v]; }
      else if (!one.after || time < one.after[0]) one.after = [time, v];
  }
  return near;
}

// The memory of the call's process at a moment within the call.
function memoryWithin(call, t, near) {
  let before = [call.start, call.enter], after = [call.end, call.exit];
  const closer = point => {
    if (!point) return;
    if (point[0] < t) { if (point[0] > before[0]) before = point; }
    else if (point[0] < after[0]) after = point;
  };
  if (call.line >= 0) {
    const { t: times, v, end } = windowNumbers.series[call.line], next = firstFrom(times, t);
    let i = next - 1, j = next;
    while (i >= 0 && end[i]) i--;
    while (j < times.length && end[j]) j++;
    const own = near.get(call.line) || {}, raw = i >= 0 ? [times[i], v[i]] : null, later = j < times.length ? [times[j], v[j]] : null;
    // of one moment, edges of calls come after samples
    closer(own.before && (!raw || own.before[0] >= raw[0]) ? own.before : raw);
    closer(own.after && (!later || own.after[0] < later[0]) ? own.after : later);
  }
  const pause = after[0] - before[0];
  return pause > 0 ? before[1] + (after[1] - before[1]) * (t - before[0]) / pause : after[1];
}

const byTotal = (x, y) => y.total - x.total || (functions[x.number].name < functions[y.number].name ? -1 : 1);

function sumOfFunction(sums, number) {
  if (!sums.has(number)) sums.set(number, { number, calls: 0, total: 0, longest: 0, change: 0, peak: -Infinity });
  return sums.get(number);
}

// The functions that ran in a part of the time, the longest total time first.
function functionsIn(a, b) {
  const numbers = numbersOfWindows(), sums = new Map();
  if (!numbers) return [];
  if (data.window.bins) return binsIn(numbers.bins, a, b, sums);
  const within = numbers.calls.filter(call => call.end >= a && call.start <= b);
  const atStart = neighbours(within, a, a, b), atEnd = neighbours(within, b, a, b);
  for (const call of within) {
    const sum = sumOfFunction(sums, call.number), start = Math.max(call.start, a), end = Math.min(call.end, b), length = Math.max(0, end - start);
    sum.calls += call.count;
    sum.longest = Math.max(sum.longest, length);
    if (call.start >= a) sum.peak = Math.max(sum.peak, call.enter);
    if (call.end <= b) sum.peak = Math.max(sum.peak, call.exit);
    if (call.series >= 0) {
      const series = numbers.series[call.series], first = firstFrom(series.t, start);
      let last = firstFrom(series.t, end);
      while (last < series.t.length && series.t[last] <= end) last++;
      if (last > first) sum.peak = Math.max(sum.peak, highestOf(series, first, last));
    }
    if (!call.outermost) continue;
    sum.total += length;
    sum.change += (call.end > b ? memoryWithin(call, b, atEnd) : call.exit) - (call.start < a ? memoryWithin(call, a, atStart) : call.enter);
  }
  return [...sums.values()].sort(byTotal);
}

// The same of bins; a bin at an edge counts in part.
function binsIn(bins, a, b, sums) {
  const size = (to - from) / data.window.bins, first = new Map();
  for (const bin of bins) {
    const begin = from + bin.bin * size, share = (Math.min(b, begin + size) - Math.max(a, begin)) / size;
    if (share <= 0) { // runs across the beginning, unless it ended before
      if (begin + size <= a) first.set(bin.number, (first.get(bin.number) || 0) + bin.starts - bin.ends);
      continue;
    }
    const sum = sumOfFunction(sums, bin.number);
    sum.calls += bin.starts * share;
    sum.total += bin.busy * share;
    sum.longest = Math.max(sum.longest, Math.min(bin.longest, b - a));
    sum.change += bin.change * share;
    sum.peak = Math.max(sum.peak, bin.peak);
  }
  for (const sum of sums.values()) sum.calls = Math.max(1, Math.round(sum.calls + (first.get(sum.number) || 0)));
  return [...sums.values()].sort(byTotal);
}

// ---- processes ----

// The usual interval next to a pause: the median of up to eight.
function usualInterval(times, first, end) {
  const intervals = [];
  for (let i = first + 1; i < end && intervals.length < 8; i++) if (times[i] > times[i - 1]) intervals.push(times[i] - times[i - 1]);
  return intervals.length < 2 ? NaN : intervals.sort((a, b) => a - b)[intervals.length >> 1];
}

// A pause of more than eight intervals, as in gaps.c.
function isGap(a, b) {
  const one = windowNumbers.series[0];
  if (!one.samples) one.samples = one.t.filter((t, i) => !one.end[i]);
  let before = firstFrom(one.samples, a);
  if (one.samples[before] <= a) before++;
  const usual = [usualInterval(one.samples, Math.max(0, before - 9), before), usualInterval(one.samples, firstFrom(one.samples, b), one.samples.length)].filter(isFinite);
  return usual.length > 0 && b - a > 8 * Math.max(...usual);
}
function isGapOf(series, i) {
  if (!series.gaps) series.gaps = new Uint8Array(series.t.length); // 0: not known yet; 1: no; 2: yes
  if (!series.gaps[i]) series.gaps[i] = isGap(series.t[i - 1], series.t[i]) ? 2 : 1;
  return series.gaps[i] === 2;
}

// A process at a tick, as in process_sums.c: 0 outside of its life and in a pause, on a line between two
// samples. Of a rank of a merged recording a sample counts until the next one.
function processAt(series, t) {
  const next = firstFrom(series.t, t);
  if (series.until !== undefined) return series.t[next] === t ? series.v[next] : next && t <= series.until ? series.v[next - 1] : 0;
  if (next === series.t.length) return 0;
  if (series.t[next] === t) return series.v[next];
  if (!next || isGapOf(series, next)) return 0;
  const share = (t - series.t[next - 1]) / (series.t[next] - series.t[next - 1]);
  return series.v[next - 1] + (series.v[next] - series.v[next - 1]) * share;
}

const livesAt = (series, t) => series.t.length > 0 && t >= series.t[0] && t <= (series.until || series.t[series.t.length - 1]);

// Moments at which processes are added up: those of the curve.
function momentsIn(a, b) {
  const { t } = numbersOfWindows().series[0], moments = [];
  for (let i = firstFrom(t, a); i < t.length && t[i] <= b; i++) if (t[i] !== moments[moments.length - 1]) moments.push(t[i]);
  return moments;
}

function commandIn(row, a, b, moments, { time: peakTime }) {
  const { series } = windowNumbers;
  let sum = 0, peak = 0, busy = 0, atPeak = 0, running = 0, largest = null;
  for (const t of moments) {
    let mib = 0, lives = false;
    for (const i of row.members) if (livesAt(series[i], t)) { mib += processAt(series[i], t); lives = true; }
    sum += mib;
    busy += lives;
    peak = Math.max(peak, mib);
  }
  let members = 0;
  row.members.forEach((i, n) => {
    const at = firstFrom(series[i].t, peakTime);
    if (series[i].t[at] === peakTime || series[i].until !== undefined && livesAt(series[i], peakTime)) { atPeak += processAt(series[i], peakTime); running++; }
    const own = seriesIn(series[i], a, b);
    members += own || livesAt(series[i], a) && livesAt(series[i], b) ? 1 : 0;
    if (own && (!largest || own.peak > largest.peak)) largest = { ...own, which: typeof row.pids[n] === 'string' ? row.pids[n] : row.pids[n] < 0 ? '' : `pid ${row.pids[n]}` };
  });
  return { mean: busy ? sum / busy : 0, peak, atPeak, running, largest, members };
}

// When the sum of all processes is highest.
function peakOfAll(a, b, others) {
  const [line, ...rest] = [windowNumbers.series[0], ...others.map(i => windowNumbers.series[i])], best = { mib: -Infinity, time: NaN };
  for (let i = firstFrom(line.t, a); i < line.t.length && line.t[i] <= b; i++) {
    const mib = data.window.sum ? line.v[i] : line.end[i] ? -Infinity : rest.reduce((sum, one) => {
      const at = firstFrom(one.t, line.t[i]);
      return sum + (one.t[at] === line.t[i] ? one.v[at] : 0);
    }, line.v[i]);
    if (mib > best.mib) Object.assign(best, { mib, time: line.t[i] });
  }
  return best;
}

// The rows of processes, commands or recordings that a picture of the window has, in its order.
function rowsIn(kinds, a, b) {
  const numbers = numbersOfWindows(), found = [];
  if (!numbers) return found;
  const rows = numbers.rows.filter(row => kinds.includes(row.kind));
  const others = [...new Set(rows.filter(row => row.kind === 1 || row.kind === 2).flatMap(row => row.members))];
  const commands = rows.some(row => row.kind === 2), moments = commands ? momentsIn(a, b) : [];
  const whole = seriesIn(numbers.series[0], a, b), peak = commands ? peakOfAll(a, b, others) : null;
  for (const row of rows) {
    const one = { row, peak: 0 };
    const series = row.members.length ? numbers.series[row.members[0]] : null, own = series && seriesIn(series, a, b);
    if (row.kind === 2) {
      Object.assign(one, commandIn(row, a, b, moments, peak));
      if (!one.members) continue;
    } else if (row.kind === 0) Object.assign(one, own && own.samples ? own : {}, { lasted: whole ? whole.lasted : undefined });
    else if (own && own.samples) Object.assign(one, own);
    else if (row.kind % 2 === 1 && !(series && livesAt(series, a) && livesAt(series, b))) continue;
    found.push(one);
  }
  if (found.length === 1 && found[0].row.kind === 0) return []; // no other process lived
  const key = one => one.row.kind === 2 ? one.atPeak : one.peak;
  return found.sort((x, y) => (x.row.kind === 0 ? -1 : y.row.kind === 0 ? 1 : x.row.kind === 3 ? x.row.order - y.row.order : key(y) - key(x)) || (commands ? x.row.order - y.row.order : x.row.members[0] - y.row.members[0]));
}

// Peak, mean and change of a series; without a sample in it, only what is between the two around it.
function curveOf(series, a, b) {
  if (!series.t.length || series.t[0] > b || series.t[series.t.length - 1] < a) return null;
  const sum = seriesIn(series, a, b), start = processAt(series, Math.max(a, series.t[0])), end = processAt(series, Math.min(b, series.t[series.t.length - 1]));
  return { ...sum, start, end, change: end - start };
}

// The curves of the picture that have a name of their own: recordings, the main process, or all processes.
function curvesIn(a, b) {
  const numbers = numbersOfWindows();
  if (!numbers || data.share) return [];
  const recordings = numbers.rows.filter(row => row.kind === 3), others = numbers.rows.filter(row => row.kind === 1 || row.kind === 2);
  const named = recordings.length ? recordings.map(row => [row.name, curveOf(numbers.series[row.members[0]], a, b)])
    : [[others.length && !data.window.sum ? 'main process' : '', curveOf(numbers.series[0], a, b)]];
  if (!recordings.length && others.length && !data.window.sum) {
    const peak = peakOfAll(a, b, [...new Set(others.flatMap(row => row.members))]);
    if (isFinite(peak.mib)) named.push(['all processes', { count: 1, peak: peak.mib, time: peak.time }]);
  }
  return named.filter(([, sum]) => sum).map(([name, sum]) => ({ name, ...sum }));
}
