// Starts the pictures of a document: the one that contains this script, or all that have none of their
// own. A page that adds pictures later calls mprofStart().
const edited = new Error('the elements do not fit the numbers: the file stays a plain picture');

function start(root) {
  if (root.classList.contains('living') || !root.querySelector(':scope > metadata')) return;
  try { makeLiving(root); } catch (error) { if (error !== edited) throw error; }
}
function startAll() {
  for (const root of document.querySelectorAll('svg.mprof')) if (!root.querySelector(':scope > script')) start(root);
}
const own = document.currentScript && document.currentScript.ownerSVGElement;
if (own) start(own);
else {
  window.mprofStart = startAll;
  startAll();
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', startAll);
}
