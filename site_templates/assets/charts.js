/* Charts: drawn when they come into view, in the page's own colours, again when those change. */
(function () {
  "use strict";
  let library = null;
  const drawn = new Set();

  function colours() {
    const style = getComputedStyle(document.querySelector(".u59") || document.body);
    const one = (name) => style.getPropertyValue("--u59-" + name).trim();
    return {
      "@ink": one("ink"), "@muted": one("muted"), "@grid": one("line"),
      "@accent": one("accent"), "@surface": one("paper"),
    };
  }

  function paint(value, palette) {
    if (typeof value === "string") return palette[value] || value;
    if (Array.isArray(value)) return value.map((item) => paint(item, palette));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, paint(item, palette)]));
    }
    return value;
  }

  function axis(given) {
    return Object.assign(
      { automargin: true, fixedrange: true, gridcolor: "@grid", linecolor: "@grid", zerolinecolor: "@grid", ticks: "outside", tickcolor: "@grid" },
      given, given && given.title ? { title: { standoff: 10, ...given.title } } : {});
  }

  function draw(plot) {
    const { data, layout } = JSON.parse(plot.dataset.u59Chart);
    const full = Object.assign(
      {
        margin: { l: 48, r: 12, t: 12, b: 44 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: "@ink" },
        hoverlabel: { bgcolor: "@surface", bordercolor: "@muted", font: { color: "@ink" } }, dragmode: false,
      },
      layout, { xaxis: axis(layout.xaxis), yaxis: axis(layout.yaxis) });
    const palette = colours();
    return Plotly.react(plot, paint(data, palette), paint(full, palette), { displayModeBar: false, responsive: true });
  }

  async function load(plot) {
    if (!library) library = window.Plotly ? Promise.resolve() : unit59.script(unit59.home + "vendor/plotly-basic.min.js");
    await library;
    await draw(plot);
    plot.dataset.u59Drawn = "yes";
    drawn.add(plot);
  }

  const view = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      view.unobserve(entry.target);
      load(entry.target);
    }
  }, { rootMargin: "200px" });

  unit59.onPage((root) => root.querySelectorAll("[data-u59-chart]").forEach((plot) => view.observe(plot)));

  new MutationObserver(() => {
    for (const plot of drawn) plot.isConnected ? draw(plot) : drawn.delete(plot);
  }).observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
})();
