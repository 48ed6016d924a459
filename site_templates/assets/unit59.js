/* What every generated page needs: start-up, links from disk, keys, before/after pairs, sortable tables. */
(function () {
  "use strict";
  const starters = [];
  let document_ = null;

  window.unit59 = {
    home: document.currentScript.src.replace(/[^/]*$/, ""),
    /* Run `start(root)` now and whenever the theme swaps the page's content. */
    onPage(start) {
      starters.push(start);
      if (document_) start(document_);
    },
    script(address) {
      return new Promise((done, failed) => {
        const script = document.createElement("script");
        script.src = address;
        script.onload = done;
        script.onerror = () => failed(new Error("cannot load " + address));
        document.head.append(script);
      });
    },
  };

  function begin() {
    document.documentElement.classList.add("u59-js");
    document_ = document;
    starters.forEach((start) => start(document));
  }
  // Material with instant navigation swaps the content and says so; everything else loads pages.
  if (window.document$ && window.document$.subscribe) window.document$.subscribe(begin);
  else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();

  /* From disk no server adds index.html. */
  unit59.onPage((root) => {
    if (location.protocol !== "file:") return;
    for (const link of root.querySelectorAll("a[href]")) {
      if (link.protocol === "file:" && link.pathname.endsWith("/")) link.pathname += "index.html";
    }
  });

  /* j and k: next and previous. */
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const link = document.querySelector('[data-u59-key="' + CSS.escape(event.key) + '"]');
    if (link) link.click();
  });

  unit59.onPage((root) => {
    for (const pairs of root.querySelectorAll("[data-u59-pairs]")) {
      const bar = pairs.querySelector(".u59-pairbar");
      const flip = bar.querySelector("[data-u59-flip]");
      const modes = bar.querySelectorAll("[data-u59-mode]");
      bar.hidden = false;
      const show = (after) => {
        pairs.classList.toggle("u59-after", after);
        flip.setAttribute("aria-pressed", String(after));
      };
      for (const button of modes) {
        button.onclick = () => {
          const mode = button.dataset.u59Mode;
          pairs.dataset.u59Pairs = mode;
          modes.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
          flip.hidden = mode !== "flip";
          show(false);
        };
      }
      flip.onclick = () => show(!pairs.classList.contains("u59-after"));
      pairs.querySelector(".u59-tiles").onclick = () => {
        if (pairs.dataset.u59Pairs === "flip") flip.click();
      };
    }
  });

  /* Tables sort by the column whose head is pressed. */
  const value = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const number = parseFloat(text.replace(/,/g, "").replace("−", "-"));
    return Number.isNaN(number) ? text.toLowerCase() : number;
  };
  unit59.onPage((root) => {
    for (const table of root.querySelectorAll("table[data-u59-sortable]")) {
      if (table.dataset.u59Sortable) continue;
      table.dataset.u59Sortable = "ready";
      Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        head.append(button);
        button.onclick = () => {
          const rows = Array.from(table.tBodies[0].rows);
          const numeric = rows.some((row) => typeof value(row, column) === "number");
          const down = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : numeric;
          for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
          head.setAttribute("aria-sort", down ? "descending" : "ascending");
          const order = (a, b) => {
            const left = value(a, column), right = value(b, column);
            if (typeof left !== typeof right) return typeof left === "number" ? -1 : 1;
            const less = left < right ? -1 : left > right ? 1 : 0;
            return down ? -less : less;
          };
          table.tBodies[0].append(...rows.sort(order));
        };
      });
    }
  });
})();
