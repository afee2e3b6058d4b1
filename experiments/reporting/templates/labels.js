"use strict";
const box = document.querySelector(".filters");
const reason = document.getElementById("reason");
const search = document.getElementById("words");
const output = box.querySelector("output");
const sentences = [...document.querySelectorAll(".sentence")];
const texts = sentences.map((article) => article.querySelector(".words").textContent.toLowerCase());
const update = () => {
  const words = search.value.toLowerCase().trim();
  let shown = 0;
  sentences.forEach((article, i) => {
    article.hidden = ![article.dataset.reason, ""].includes(reason.value) || !texts[i].includes(words);
    shown += !article.hidden;
  });
  output.textContent = `${shown} of ${sentences.length} sentences`;
};
let waiting;
box.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(update, 80);
});
box.hidden = false;
update();
