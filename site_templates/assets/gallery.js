/* A layer's gallery: filter and sort pictures and table alike; the address keeps the choice. */
(function () {
  "use strict";
  const orders = {
    iou: (a, b) => b.iou - a.iou,
    unit: (a, b) => a.unit - b.unit,
    ratio: (a, b) => b.ratio - a.ratio,
    change: (a, b) => b.change - a.change,
    effect: (a, b) => b.effect - a.effect,
    insertion: (a, b) => b.insertion - a.insertion,
  };

  unit59.onPage((root) => {
    const form = root.querySelector("[data-u59-controls]");
    if (!form) return;
    const lists = Array.from(root.querySelectorAll("[data-u59-list]"), (list) => ({
      list,
      items: Array.from(list.children, (element, place) => ({
        element, place,
        concept: element.dataset.concept,
        cause: element.dataset.cause,
        above: element.dataset.above === "1",
        ...Object.fromEntries(["unit", "iou", "ratio", "change", "effect", "insertion"].map((key) => [key, Number(element.dataset[key])])),
      })),
    }));
    const gallery = root.querySelector('[data-u59-list="gallery"]');
    const table = root.querySelector("[data-u59-tableview]");
    const count = root.querySelector("[data-u59-count]");
    const empty = root.querySelector("[data-u59-empty]");

    function show() {
      const chosen = new FormData(form);
      const least = Number(chosen.get("iou")), effect = Number(chosen.get("effect") || 0);
      for (const range of form.querySelectorAll("input[type=range]")) {
        range.nextElementSibling.textContent = Number(range.value).toFixed(2) + (range.dataset.u59Unit || "");
      }
      let shown = 0;
      for (const { list, items } of lists) {
        shown = 0;
        const order = orders[chosen.get("sort")] || ((a, b) => a.place - b.place);
        for (const item of items.slice().sort((a, b) => order(a, b) || a.place - b.place)) {
          const passes = (!chosen.get("concept") || item.concept === chosen.get("concept")) &&
            (!chosen.get("cause") || item.cause === chosen.get("cause")) && (!effect || item.effect >= effect) &&
            item.iou >= least && (!chosen.get("above") || item.above);
          item.element.hidden = !passes;
          shown += passes;
          list.append(item.element);
        }
      }
      count.textContent = shown + (shown === 1 ? " unit" : " units");
      empty.hidden = shown > 0;
      const asTable = chosen.get("view") === "table";
      gallery.hidden = asTable;
      if (asTable) table.open = true;
      const kept = new URLSearchParams();
      for (const [name, given] of chosen) if (given && given !== "0") kept.set(name, given);
      const query = kept.toString();
      history.replaceState(history.state, "", location.pathname + (query ? "?" + query : "") + location.hash);
    }

    for (const [name, given] of new URLSearchParams(location.search)) {
      const field = form.elements[name];
      if (!field) continue;
      if (field.type === "checkbox") field.checked = given === "1";
      else field.value = given;
    }
    form.hidden = false;
    form.oninput = show;
    form.onsubmit = (event) => event.preventDefault();
    show();
  });
})();
