"use strict";
for (const box of document.querySelectorAll("[data-filters]")) {
  const rows = [...document.getElementById(box.dataset.filters).tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const selects = [...box.querySelectorAll("select")];
  const search = box.querySelector("input[type=search]");
  const output = box.querySelector("output");
  const update = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      const fits = selects.every(({ value, dataset }) => ["", row.cells[dataset.column].textContent.trim()].includes(value));
      row.hidden = !fits || !words.every((word) => texts[i].includes(word));
      shown += !row.hidden;
    });
    output.textContent = `${shown} of ${rows.length} rows`;
  };
  box.addEventListener("input", update);
  box.hidden = false;
  update();
}
