"use strict";
// Texts from the data reach the page as text nodes, and Plotly escaped, never as markup.
(() => {
  const byId = (id) => document.getElementById(id);
  const read = (id) => (byId(id) ? JSON.parse(byId(id).textContent) : null);

  function element(name, options = {}, ...inside) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(options)) {
      if (key === "class") made.className = value;
      else made.setAttribute(key, value);
    }
    made.append(...inside);
    return made;
  }

  function fill(menu, names) {
    const before = menu.value;
    menu.replaceChildren(...names.map((name, i) => element("option", { value: i }, name)));
    if (Number(before) < names.length) menu.value = before || "0";
  }

  const unique = (values) => [...new Set(values)];
  const plain = (text) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  // A long name would leave a picture no room; what is hovered over has it whole.
  function short(text) {
    const most = narrow.matches ? 18 : 32;
    return plain(text.length <= most ? text : `${text.slice(0, most / 2)}…${text.slice(1 - most / 2)}`);
  }

  function tableOf(head, rows) {
    const top = element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)));
    const lines = rows.map(([first, ...rest]) =>
      element("tr", {}, element("th", { scope: "row" }, first), ...rest.map((cell) => element("td", {}, cell))));
    return element("table", {}, element("thead", {}, top), element("tbody", {}, ...lines));
  }

  document.documentElement.classList.add("script");

  // ---- pictures -----------------------------------------------------------------------------

  const COLOURS = {
    light: ["#0072b2", "#d55e00", "#007a59", "#b0508c", "#a86f00", "#2a8cc4", "#333333"],
    dark: ["#56b4e9", "#ff9248", "#2fc79a", "#e69bc8", "#f0b840", "#9ad0f5", "#dddddd"],
  };
  const MARKERS = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "hexagon"];
  const DASHES = ["dot", "dash", "dashdot", "longdash", "longdashdot"];
  const MISSING = "–";
  const night = window.matchMedia("(prefers-color-scheme: dark)");
  const narrow = window.matchMedia("(max-width: 40rem)");
  const numbers = read("numbers");
  let left_out = new Set(); // encoders that are not drawn

  const shown = (value, score) =>
    value === null || value === undefined ? MISSING : value.toFixed(score.decimals);
  const group = () => numbers.groups[Number(byId("task").value)];
  const score = () => group().scores[Number(byId("score").value)];
  const drawn = () => group().series.filter((each) => !left_out.has(each.encoder));
  const valuesOf = (series, name) => series.values[name] || series.layers.map(() => null);
  const isTwin = (name) => /\+random[0-9]*( \(|$)/.test(name);
  const groupName = (each) => {
    const twice = numbers.groups.filter((other) => other.task === each.task).length > 1;
    return twice ? `${each.task} (${each.metric})` : each.task;
  };

  // An encoder looks the same in every picture, and its twin with random weights like it, dashed.
  // Those of one layer are controls, and come last: the most different colours are for the others.
  const everyone = numbers.groups.flatMap((g) => g.series).sort((a, b) => (a.depth === 0) - (b.depth === 0));
  const families = unique(everyone.map((s) => s.encoder.replace(/\+random[0-9]*/, "")));

  function look(name) {
    const place = families.indexOf(name.replace(/\+random[0-9]*/, ""));
    const colours = COLOURS[night.matches ? "dark" : "light"];
    const colour = colours[place % colours.length];
    const symbol = MARKERS[place % MARKERS.length] + (isTwin(name) ? "-open" : "");
    return { line: { color: colour, width: isTwin(name) ? 1.5 : 2, dash: isTwin(name) ? "dash" : "solid" },
      marker: { color: colour, symbol, size: 8 } };
  }

  function layout(changes) {
    const style = getComputedStyle(document.body);
    const ink = style.getPropertyValue("--ink").trim();
    const lines = style.getPropertyValue("--line").trim();
    const axis = { gridcolor: lines, linecolor: lines, zeroline: false, automargin: true };
    const { xaxis = {}, yaxis = {}, ...rest } = changes;
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, size: narrow.matches ? 11 : 13, family: style.fontFamily },
      margin: { l: 50, r: 15, t: 20, b: 45 }, hovermode: "closest",
      hoverlabel: { bgcolor: style.getPropertyValue("--paper").trim(), font: { color: ink }, namelength: -1 },
      legend: narrow.matches ? { orientation: "h", y: -0.22, font: { size: 10 } } : {},
      ...rest, xaxis: { ...axis, ...xaxis }, yaxis: { ...axis, ...yaxis },
    };
  }

  const draw = (id, traces, changes) =>
    Plotly.react(id, traces, layout(changes), {
      displaylogo: false, responsive: true, scrollZoom: false, displayModeBar: narrow.matches ? false : "hover",
      toImageButtonOptions: { format: "svg", filename: id },
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    });

  function say(id, sentence, head, rows) {
    byId(`${id}-told`).textContent = sentence;
    byId(`${id}-numbers`).replaceChildren(tableOf(head, rows));
  }

  function extreme(series, name, lower) {
    const values = valuesOf(series, name);
    const known = values.filter((value) => value !== null);
    if (!known.length) return null;
    const value = lower ? Math.min(...known) : Math.max(...known);
    return { value, layer: series.names[values.indexOf(value)] };
  }

  function curve() {
    const of = group(), what = score(), main = what.name === of.metric;
    const relative = byId("depth").value === "relative";
    const across = (series) => series.layers.map((layer) => (relative ? layer / Math.max(series.depth, 1) : layer));
    const traces = drawn().filter((series) => series.values[what.name]).map((series) => {
      const values = valuesOf(series, what.name), ends = main && series.low.every((low) => low !== null);
      const text = values.map((value, i) => {
        const interval = ends ? ` [${shown(series.low[i], what)}, ${shown(series.high[i], what)}]` : "";
        return plain(`${series.encoder}, layer ${series.names[i]}: ${shown(value, what)}${interval}`);
      });
      const trace = { type: "scatter", mode: "lines+markers", name: short(series.encoder), x: across(series), y: values,
        text, hovertemplate: "%{text}<extra></extra>", ...look(series.encoder) };
      trace.marker.size = values.map((_, i) => (i === series.best && values.length > 1 ? 12 : 7));
      if (ends) {
        trace.error_y = { type: "data", symmetric: false, thickness: 1, width: 3,
          array: values.map((value, i) => series.high[i] - value), arrayminus: values.map((value, i) => value - series.low[i]) };
      }
      return trace;
    });
    const last = Math.max(0, ...traces.flatMap((trace) => trace.x));
    const flat = of.baselines.filter((each) => each.values[what.name]);
    (byId("flat").checked ? flat : []).forEach((each, i) => {
      const [low, high] = each.values[what.name];
      const told = low === high ? shown(low, what) : `${shown(low, what)}–${shown(high, what)}`;
      for (const value of unique([low, high])) {
        traces.push({ type: "scatter", mode: "lines", name: short(each.name), x: [0, last], y: [value, value],
          text: Array(2).fill(plain(`${each.name}: ${told}`)), hovertemplate: "%{text}<extra></extra>",
          showlegend: value === low, line: { color: "#888888", width: 1.3, dash: DASHES[i % DASHES.length] } });
      }
    });
    draw("curve-plot", traces, {
      xaxis: { title: { text: relative ? "depth of the layer" : "layer" }, dtick: relative ? 0.25 : last > 16 ? 4 : 1 },
      yaxis: { title: { text: short(what.name) } },
      height: narrow.matches ? 420 + 14 * traces.length : 460,
    });
    const trained = drawn().filter((series) => !isTwin(series.encoder) && series.depth);
    const found = (trained.length ? trained : drawn()).map((series) => [series, extreme(series, what.name, what.lower)]).filter(([, best]) => best);
    const tops = found.map(([series, best]) => `${series.encoder} ${shown(best.value, what)} at layer ${best.layer}`);
    const deepest = Math.max(0, ...drawn().map((series) => Math.max(...series.layers)));
    const layers = Array.from({ length: deepest + 1 }, (_, i) => i);
    say("curve",
      `${groupName(of)}, ${what.name}: ${what.lower ? "lowest" : "highest"} ${tops.join("; ")}.` + " The larger point is the layer that was chosen." + (main ? " Bars are intervals." : ""),
      ["encoder", ...layers.map((layer) => `layer ${layer}`)],
      [...drawn().map((series) => [series.encoder, ...layers.map((layer) => {
        const at = series.layers.indexOf(layer);
        return at < 0 ? MISSING : shown(valuesOf(series, what.name)[at], what);
      })]), ...flat.map((each) => [each.name, ...layers.map(() => each.values[what.name].map((v) => shown(v, what)).filter((v, i, all) => !i || v !== all[0]).join("–"))])]);
  }

  function heat() {
    const ofTask = byId("heat-rows").value === "encoders";
    byId("heat-encoder").closest("label").hidden = ofTask;
    const encoders = unique(numbers.groups.flatMap((g) => g.series.map((s) => s.encoder)));
    const chosen = encoders[Number(byId("heat-encoder").value)];
    const rows = ofTask
      ? drawn().map((series) => ({ name: series.encoder, series, what: score() }))
      : numbers.groups.flatMap((g) => g.series.filter((s) => s.encoder === chosen)
        .map((series) => ({ name: groupName(g), series, what: g.scores[0] })));
    const deepest = Math.max(0, ...rows.map(({ series }) => Math.max(...series.layers)));
    const layers = Array.from({ length: deepest + 1 }, (_, i) => i);
    const cells = rows.map(({ series, what }) => layers.map((layer) => {
      const at = series.layers.indexOf(layer);
      return at < 0 ? null : valuesOf(series, what.name)[at];
    }));
    const texts = rows.map(({ what }, i) => cells[i].map((value) => shown(value, what)));
    const few = rows.length * layers.length <= 260 && !(narrow.matches && layers.length > 6);
    const height = Math.max(190, 90 + 30 * rows.length);
    draw("heat-plot", [{
      type: "heatmap", x: layers.map(String), y: rows.map((_, i) => i), z: cells, text: texts,
      customdata: rows.map(({ name, series, what }) => layers.map((layer) => {
        const at = series.layers.indexOf(layer);
        return plain(`${name}, layer ${at < 0 ? layer : series.names[at]}: ${what.name} ${at < 0 ? "not measured" : shown(valuesOf(series, what.name)[at], what)}`);
      })),
      texttemplate: few ? "%{text}" : "", hovertemplate: "%{customdata}<extra></extra>", hoverongaps: true,
      colorscale: "Cividis", xgap: 1, ygap: 1, colorbar: { thickness: 12, outlinewidth: 0 },
    }], {
      height,
      xaxis: { title: { text: "layer" }, type: "category", showgrid: false },
      yaxis: { autorange: "reversed", showgrid: false, tickvals: rows.map((_, i) => i), ticktext: rows.map(({ name }) => short(name)) },
    });
    const about = ofTask ? `${groupName(group())}, ${score().name}: encoders by layer.` : `${chosen}: the main score of each task by layer.`;
    say("heat", about, [ofTask ? "encoder" : "task", ...layers.map((layer) => `layer ${layer}`)], rows.map(({ name }, i) => [name, ...texts[i]]));
  }

  function speed() {
    if (!byId("size")) return;
    const of = group(), what = score(), size = Number(byId("size").value);
    const timed = drawn().map((series) => ({ series, ms: series.ms[size] })).filter(({ ms }) => ms.some((time) => time !== null));
    const traces = timed.map(({ series, ms }) => ({
      type: "scatter", mode: "lines+markers", name: short(series.encoder), x: ms, y: valuesOf(series, what.name),
      text: ms.map((time, i) => plain(`${series.encoder}, layer ${series.names[i]}: ${time === null ? MISSING : time.toFixed(2)} ms, ${what.name} ${shown(valuesOf(series, what.name)[i], what)}`)),
      hovertemplate: "%{text}<extra></extra>", ...look(series.encoder),
    }));
    draw("speed-plot", traces, {
      height: 420, xaxis: { title: { text: "milliseconds to reach the layer" }, rangemode: "tozero" }, yaxis: { title: { text: short(what.name) } },
    });
    say("speed",
      timed.length ? `${groupName(of)}, ${what.name}, against the median time to reach the layer (${numbers.sizes[size]}).` : "None of these encoders was timed.",
      ["encoder and layer", "milliseconds", what.name],
      timed.flatMap(({ series, ms }) => ms.map((time, i) => [`${series.encoder} ${series.names[i]}`, time === null ? MISSING : time.toFixed(2), shown(valuesOf(series, what.name)[i], what)])));
  }

  function redraw() { curve(); heat(); speed(); }

  function changeTask() {
    const before = byId("score").selectedOptions[0]?.textContent;
    const names = group().scores.map((each) => each.name);
    fill(byId("score"), names);
    byId("score").value = Math.max(0, names.indexOf(before));
    const box = byId("encoders");
    box.querySelectorAll("label").forEach((label) => label.remove());
    for (const series of group().series) {
      const input = element("input", { type: "checkbox" });
      input.checked = !left_out.has(series.encoder);
      input.addEventListener("change", () => {
        if (input.checked) left_out.delete(series.encoder); else left_out.add(series.encoder);
        redraw();
      });
      box.append(element("label", {}, input, ` ${series.encoder}`));
    }
    redraw();
  }

  fill(byId("task"), numbers.groups.map(groupName));
  fill(byId("heat-encoder"), unique(numbers.groups.flatMap((g) => g.series.map((s) => s.encoder))));
  if (byId("size")) fill(byId("size"), numbers.sizes);
  byId("task").addEventListener("change", changeTask);
  for (const id of ["score", "depth", "flat"]) byId(id).addEventListener("change", redraw);
  for (const id of ["heat-rows", "heat-encoder"]) byId(id).addEventListener("change", heat);
  byId("size")?.addEventListener("change", speed);
  night.addEventListener("change", redraw);
  narrow.addEventListener("change", redraw);
  changeTask();

  // ---- the table ----------------------------------------------------------------------------

  const table = byId("score-table"), body = byId("units");
  const heads = [...table.tHead.rows[0].cells];

  function filter() {
    const encoder = byId("only-encoder").value, task = byId("only-task").value;
    const words = byId("find").value.toLowerCase(), best = byId("only-best").checked;
    let count = 0;
    for (const row of body.rows) {
      const chosen = row.dataset.best.split(" ").filter(Boolean);
      row.hidden = (encoder !== "" && row.dataset.encoder !== encoder)
        || (best && !(task === "" ? chosen.length : chosen.includes(task)))
        || !row.textContent.toLowerCase().includes(words);
      count += !row.hidden;
    }
    for (const cell of table.querySelectorAll("[data-task]")) cell.hidden = task !== "" && cell.dataset.task !== task;
    byId("rows-shown").textContent = `${count} of ${body.rows.length} rows`;
  }

  function sortBy(column) {
    const head = heads[column], numeric = head.dataset.kind === "number";
    // The best come first at the first click: for a number the highest.
    const next = { none: numeric && column > 1 ? "descending" : "ascending", ascending: "descending", descending: "ascending" };
    const order = next[head.getAttribute("aria-sort")];
    heads.forEach((each) => each.setAttribute("aria-sort", each === head ? order : "none"));
    const key = (row) => {
      const cell = row.cells[column];
      return numeric ? ("value" in cell.dataset ? Number(cell.dataset.value) : null) : cell.textContent;
    };
    const sign = order === "ascending" ? 1 : -1;
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === null || y === null) return (x === null) - (y === null); // what is missing stays last
      return sign * (numeric ? x - y : x.localeCompare(y, undefined, { numeric: true }));
    };
    body.append(...[...body.rows].sort(compare));
  }

  heads.forEach((head, i) => head.querySelector("button").addEventListener("click", () => sortBy(i)));
  for (const id of ["only-encoder", "only-task", "only-best"]) byId(id).addEventListener("change", filter);
  byId("find").addEventListener("input", filter);
  filter();

  // ---- mistakes -----------------------------------------------------------------------------

  const units = read("mistakes-data");
  if (!units) return;
  const picked = (id) => byId(id).selectedOptions[0]?.textContent;
  const layerName = (unit) => unit.layer + (unit.how ? ` (${unit.how})` : "");
  const ofTask = () => units.filter((unit) => unit.task === picked("error-task"));
  const ofEncoder = () => ofTask().filter((unit) => unit.encoder === picked("error-encoder"));

  function again(id, names) {
    const before = picked(id);
    fill(byId(id), names);
    byId(id).value = Math.max(0, names.indexOf(before));
  }

  function context(pieces) {
    return element("p", { class: "context" }, ...pieces.flatMap(([words, spans]) =>
      [spans ? element("mark", { class: `span${spans}`, dir: "auto" }, words) : element("bdi", {}, words), " "]));
  }

  function confusion(unit) {
    if (!unit.labels.length) return [];
    const count = unit.labels.map(() => unit.labels.map(() => 0));
    for (const [gold, said, number] of unit.confusion) count[gold][said] = number;
    const most = Math.max(1, ...unit.confusion.filter(([gold, said]) => gold !== said).map(([, , number]) => number));
    const made = tableOf(["gold ↓ predicted →", ...unit.labels], unit.labels.map((name, i) => [name, ...count[i].map((n) => (n ? String(n) : "·"))]));
    [...made.tBodies[0].rows].forEach((row, i) => [...row.cells].slice(1).forEach((cell, j) => {
      if (i === j) cell.className = "right";
      else if (count[i][j]) cell.className = `wrong${Math.ceil((4 * count[i][j]) / most)}`;
    }));
    made.prepend(element("caption", {}, "Confusion matrix: counts of test targets"
      + (unit.elsewhere ? `; ${unit.elsewhere} mistakes with other labels are not in it` : "")));
    return [element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Confusion matrix" }, made)];
  }

  function show() {
    const unit = ofEncoder()[Number(byId("error-layer").value)];
    const seed = unit.seed === null ? "" : ` (seed ${unit.seed})`;
    byId("errors-told").textContent =
      `${unit.wrong.toLocaleString("en")} of ${unit.of.toLocaleString("en")} test targets wrong${seed}; ${unit.shown.length} shown, ${unit.order}.`;
    byId("confusion").replaceChildren(...confusion(unit));
    byId("mistakes").replaceChildren(...unit.shown.map((each) => {
      const sure = each.probability === null ? "" : `, probability ${each.probability.toFixed(3)} (of gold ${each.of_gold.toFixed(3)})`;
      return element("li", {}, context(each.pieces), element("p", { class: "labels" },
        "gold ", element("b", {}, each.gold), ", predicted ", element("b", {}, each.predicted), sure,
        each.strata ? element("small", {}, ` ${each.strata}`) : ""));
    }));
  }

  const chooseLayer = () => { again("error-layer", ofEncoder().map(layerName)); byId("error-layer").value = "0"; show(); };
  const chooseEncoder = () => { again("error-encoder", unique(ofTask().map((unit) => unit.encoder))); chooseLayer(); };
  fill(byId("error-task"), unique(units.map((unit) => unit.task)));
  byId("error-task").addEventListener("change", chooseEncoder);
  byId("error-encoder").addEventListener("change", chooseLayer);
  byId("error-layer").addEventListener("change", show);
  chooseEncoder();
})();
