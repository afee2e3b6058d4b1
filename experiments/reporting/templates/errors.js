"use strict";
const box = document.querySelector(".filters");
const chosen = ["system", "kind", "type"].map((name) => document.getElementById(name));
const search = document.getElementById("words");
const output = box.querySelector("output");
const sentences = [...document.querySelectorAll(".sentence")].map((article) => ({
  article,
  errors: article.dataset.errors.split(" ").map((code) => code.split(".")),
  text: [...article.querySelectorAll(".words")].map((words) => words.textContent).join("\n").toLowerCase(),
}));
const update = () => {
  const wanted = chosen.map((select) => select.value);
  const words = search.value.toLowerCase().trim();
  let shown = 0;
  for (const { article, errors, text } of sentences) {
    const fits = errors.some((error) => error.every((part, i) => wanted[i] === "" || wanted[i] === part));
    article.hidden = !fits || !text.includes(words);
    shown += !article.hidden;
  }
  output.textContent = `${shown} of ${sentences.length} sentences`;
};
let waiting;
box.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(update, 80);
});
box.hidden = false;
update();
