/* The comparison: units named in the address, `?u=model/layer/unit&u=…`, side by side. */
(function () {
  "use strict";
  const layers = {};
  window.unit59Layer = (data) => { layers[data.layer] = data; };

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const score = (value) => (value == null ? "–" : value === 0 ? "0" : value < 0.01 ? value.toPrecision(2) : value.toFixed(3));
  const words = { above: "above the null", chance: "no more than chance", below: "below the cut", none: "no overlap" };

  unit59.onPage((root) => {
    const page = root.querySelector("[data-u59-compare]");
    if (!page || !page.querySelector("form")) return;
    const known = JSON.parse(page.dataset.u59Compare);
    const base = page.dataset.u59Root;
    const last = location.protocol === "file:" || location.pathname.endsWith(".html") ? "index.html" : "";
    const form = page.querySelector("[data-u59-add]");
    const say = page.querySelector("[data-u59-say]");
    const none = page.querySelector("[data-u59-none]");
    const columns = page.querySelector("[data-u59-columns]");
    const chosen = () => new URLSearchParams(location.search).getAll("u").map((unit) => unit.replace(/\/$/, ""));

    function keep(units) {
      const query = units.map((unit) => "u=" + encodeURIComponent(unit).replace(/%2F/g, "/")).join("&");
      history.replaceState(history.state, "", location.pathname + (query ? "?" + query : ""));
      show();
    }

    function tiles(unit, path, number, tile) {
      const box = element("div", { className: "u59-tiles" });
      box.style.setProperty("--tile", tile);
      const source = base + path + "/pictures/" + String(number).padStart(4, "0") + "-exemplars.webp";
      unit.samples.forEach((sample, place) => {
        const image = element("img", { src: source, alt: "Sample " + sample + ", unit " + number + "’s mask outlined" });
        const window_ = element("span", { className: "u59-tile" }, image);
        for (const [name, value] of [["--c", place], ["--n", unit.samples.length], ["--r", 0], ["--m", 1]]) {
          window_.style.setProperty(name, value);
        }
        box.append(window_);
      });
      return box;
    }

    function column(name, unit, layer, number) {
      const remove = element("button", { type: "button" }, "Remove");
      remove.onclick = () => keep(chosen().filter((other) => other !== name));
      const link = element("a", { href: base + layer.layer + "/" + number + "/" + last }, "Unit " + number);
      const facts = element("dl", { className: "u59-facts" });
      const rows = [
        ["Layer", layer.title], ["Label", unit.label || "none"],
        ["IoU", score(unit.iou) + (unit.low == null ? "" : " [" + score(unit.low) + ", " + score(unit.high) + "]")],
        ["Null", score(unit.null) + ", 99 % below " + score(unit.null_99)], ["Verdict", words[unit.verdict]],
        ["Change when off", unit.changed == null ? "–" : unit.changed.toFixed(2) + " of 255 levels"],
      ];
      for (const [term, text] of rows) facts.append(element("dt", {}, term), element("dd", {}, text));
      const made = element("section", { className: "u59-column" }, element("h2", {}, link), tiles(unit, layer.layer, number, layer.tile), facts, remove);
      if (unit.colour) made.style.setProperty("--k", unit.colour);
      return made;
    }

    async function show() {
      const made = [];
      const wrong = [];
      for (const name of chosen()) {
        const [, path, number] = name.match(/^(.+)\/(\d+)$/) || [];
        const layer = "models/" + path;
        if (!known.some((choice) => choice.path === layer)) { wrong.push(name); continue; }
        if (!layers[layer]) await unit59.script(base + layer + "/units.js");
        const unit = layers[layer].units[number];
        if (unit) made.push(column(name, unit, layers[layer], Number(number)));
        else wrong.push(name);
      }
      columns.replaceChildren(...made);
      none.hidden = chosen().length > 0;
      say.textContent = wrong.length ? "Not in this site: " + wrong.join(", ") : "";
    }

    form.hidden = false;
    form.onsubmit = (event) => {
      event.preventDefault();
      const unit = form.elements.layer.value.replace(/^models\//, "") + "/" + Number(form.elements.unit.value);
      keep(chosen().filter((other) => other !== unit).concat(unit));
    };
    show();
  });
})();
