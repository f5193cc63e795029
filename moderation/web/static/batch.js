// The range works by two number fields and a button. With script it moves by mouse, by touch and by arrow keys, and the
// numbers follow; answers to the looks are kept without a new page.

const find = (selector, within = document) => within.querySelector(selector);
const parse = (html) => new DOMParser().parseFromString(html, "text/html");
const PAUSE_MS = 200;

// --- the range --------------------------------------------------------------------------------------------------

const chart = find("#chart");
if (chart) range();

function range() {
  const edges = JSON.parse(chart.dataset.edges);
  const waiting = JSON.parse(chart.dataset.waiting);
  const last = edges.length - 1;
  const form = find("#range"), bars = find("#bars");
  const fields = [find("#low"), find("#high")], slides = [find("#slide-low"), find("#slide-high")];
  const bins = [...bars.querySelectorAll(".bin")];
  let timer = 0, asking = null;

  const nearest = (value) => edges.reduce((best, edge, at) => Math.abs(edge - value) < Math.abs(edges[best] - value) ? at : best, 0);
  const written = (at) => edges[at].toFixed(4).replace(/0{1,2}$/, "");

  // Where a score lies along the drawing, in bins; above the scale it lies in the last one.
  function place(value) {
    const at = edges.findIndex((edge, n) => n < last && value >= edge && value < edges[n + 1]);
    if (at < 0) return value >= 1 ? last : 0;
    return at === last - 1 && edges[last] - edges[at] > 2 * (edges[1] - edges[0])
      ? at + 0.5 * (value > edges[at]) : at + (value - edges[at]) / (edges[at + 1] - edges[at]);
  }

  function draw() {
    const [low, high] = fields.map((field) => Number(field.value));
    bins.forEach((bin, n) => bin.classList.toggle("in", edges[n] < high && edges[n + 1] > low));
    [[".edge.low", low], [".edge.high", high]].forEach(([selector, value]) => {
      find(selector, bars).setAttribute("x1", place(value));
      find(selector, bars).setAttribute("x2", place(value));
    });
    const count = waiting.reduce((sum, number, n) => sum + (edges[n] >= low && edges[n + 1] <= high ? number : 0), 0);
    slides.forEach((slide, n) => {
      slide.value = nearest([low, high][n]);
      slide.setAttribute("aria-valuetext", chart.dataset.words.replace("{score}", fields[n].value).replace("{count}", count));
    });
  }

  // Sets the range to these edges; the numbers below follow after a moment.
  function set(low, high) {
    fields[0].value = written(low);
    fields[1].value = written(high);
    changed();
  }

  function changed() {
    draw();
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  }

  async function ask() {
    const address = `/by-score?${new URLSearchParams(new FormData(form))}`;
    if (asking) asking.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: asking.signal });
      const page = parse(await answer.text());
      if (!find("#chosen", page)) return location.assign(address);
      show(page);
      history.replaceState(null, "", address);
    } catch (error) {
      if (error.name !== "AbortError") form.requestSubmit();
    }
  }

  // Puts the numbers in place; what was chosen or typed for the decision stays.
  function show(page) {
    const kept = ["#reason", "#note"].map((selector) => [selector, find(selector)?.value]);
    const open = find("#act details")?.open;
    find("#chosen").replaceChildren(...document.adoptNode(find("#chosen", page)).childNodes);
    for (const [selector, value] of kept) if (value && find(selector)) find(selector).value = value;
    if (open && find("#act details")) find("#act details").open = true;
    find("#table tbody").replaceWith(document.adoptNode(find("#table tbody", page)));
    find("#said").textContent = find("#said", page).textContent;
    for (const field of fields) {
      if (find("#trouble")) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }

  slides.forEach((slide, n) => slide.addEventListener("input", () => {
    let [low, high] = slides.map((one) => Number(one.value));
    if (low >= high) [low, high] = n ? [low, low + 1] : [high - 1, high]; // the thumb stops before the other one
    set(Math.max(0, low), Math.min(last, high));
  }));
  fields.forEach((field) => field.addEventListener("input", changed));

  // By pointer: a range begins where it goes down, or the border that it went down on moves.
  const under = (event) => {
    const box = bars.getBoundingClientRect();
    return Math.min(last, Math.max(0, (event.clientX - box.left) / box.width * last));
  };
  const NEAR = 0.4;
  const binAt = (at) => Math.min(last - 1, Math.floor(at));
  let fixed = null, from = null; // the border that stays, or the bin in which the range began
  bars.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const at = under(event), [low, high] = fields.map((field) => Number(field.value));
    fixed = Math.abs(at - place(low)) < NEAR ? nearest(high) : Math.abs(at - place(high)) < NEAR ? nearest(low) : null;
    from = binAt(at);
    if (fixed === null) set(from, from + 1);
    bars.setPointerCapture(event.pointerId);
  });
  bars.addEventListener("pointermove", (event) => {
    if (!bars.hasPointerCapture(event.pointerId)) return;
    const at = under(event), edge = Math.round(at);
    if (fixed === null) set(Math.min(from, binAt(at)), Math.max(from, binAt(at)) + 1);
    else if (edge !== fixed) set(Math.min(fixed, edge), Math.max(fixed, edge));
  });
  bars.addEventListener("pointercancel", (event) => bars.releasePointerCapture(event.pointerId));

  find(".sliders").hidden = false;
  draw();
  document.documentElement.dataset.batch = "ready";
}

// --- the looks --------------------------------------------------------------------------------------------------

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".answer") || !event.submitter) return;
  event.preventDefault();
  const data = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "text/html" } });
    const page = parse(await answer.text());
    if (!answer.ok || !find(".looks", page)) return location.reload();
    for (const selector of [".looks", "#deed"]) find(selector).replaceWith(document.adoptNode(find(selector, page)));
    const next = find(nextOpen());
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  } catch {
    form.submit();
  }
});

// The next comment without an answer, else the deed.
function nextOpen() {
  const open = [...document.querySelectorAll(".look")].find((look) => !find('[aria-pressed="true"]', look));
  return open ? `#${open.id}` : "#deed";
}

if (find(".looks")) document.documentElement.dataset.batch = "ready";
find(".done h2")?.focus();
