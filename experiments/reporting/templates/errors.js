"use strict";
const PAGE = 50; // sentences
const box = document.querySelector(".filters");
const featured = Number(box.dataset.featured);
const chosen = ["system", "kind", "type"].map((name) => document.getElementById(name));
const search = document.getElementById("words");
const [previous, next] = ["previous", "next"].map((name) => document.getElementById(name));
const output = box.querySelector("output");
const sentences = [...document.querySelectorAll(".sentence")].map((article) => ({
  article,
  errors: article.dataset.errors.split(" ").map((code) => code.split(".")),
  text: [...article.querySelectorAll(".words")].map((words) => words.textContent).join("\n").toLowerCase(),
}));
let found = [];
let page = 0;
const show = () => {
  const shown = new Set(found.slice(page * PAGE, (page + 1) * PAGE));
  for (const sentence of sentences) sentence.article.hidden = !shown.has(sentence);
  previous.disabled = page === 0;
  next.disabled = (page + 1) * PAGE >= found.length;
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  output.textContent = `${found.length} of ${sentences.length} sentences, page ${page + 1} of ${pages}`;
};
const update = () => {
  const [system, ...others] = chosen.map((select) => select.value);
  const fitsSystem = (number) =>
    system === "" ? Number(number) < featured : system === "all" || system === number;
  document.body.classList.toggle("featured-only", system === "" || Number(system) < featured);
  const words = search.value.toLowerCase().trim();
  found = sentences.filter(({ errors, text }) => text.includes(words) && errors.some(
    ([number, ...codes]) => fitsSystem(number) && codes.every((code, i) => ["", code].includes(others[i])),
  ));
  page = 0;
  show();
};
let waiting;
box.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(update, 80);
});
for (const [button, step] of [[previous, -1], [next, 1]]) {
  button.addEventListener("click", () => {
    page += step;
    show();
    scrollTo(0, 0);
  });
}
box.hidden = false;
update();
