/* Lays out the run in the page's data, and steps through it: by keys, by clicks, by the fragment of the address. */
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { rows, sets, steps, frames, texts } = data;
  const last = steps.length - 1;
  const PRINTED = 16; // columns of the timeline side by side on paper
  const MARKS = { u: "!", n: "?", i: "~" };
  const bar = document.getElementById("bar");
  const timeline = document.getElementById("timeline");
  const now = document.getElementById("now");
  const story = document.querySelector("#story ol");
  const items = [...story.querySelectorAll(":scope > li:not(.turn)")]; // one a step
  const [turn, turned] = data.again || [Infinity, ""]; // the first of the steps that come again and again, and words
  let current = -1;

  /* Text is only ever set as text: names are whatever somebody called something. */
  function make(tag, traits = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(traits)) {
      if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  function listed(items) {
    return make("ul", {}, ...items.map((item) => make("li", {}, item)));
  }

  function clip(step) {
    return Math.max(0, Math.min(last, step));
  }

  const named = (row) => `${sets[rows[row].set]}/${rows[row].id}`;

  /* Names the instances of one set, its name once. */
  function together(numbers) {
    if (numbers.length === 1) return named(numbers[0]);
    return `${sets[rows[numbers[0]].set]}: ${numbers.map((row) => rows[row].id).join(", ")}`;
  }

  // --- the timeline --------------------------------------------------------------------------------------------------

  function isChanged(step, row) {
    if (step === 0) return false;
    const [one, other] = [frames[step - 1], frames[step]];
    return ["life", "health", "versions"].some((column) => one[column][row] !== other[column][row]);
  }

  function said(step, row) {
    const frame = frames[step];
    if (frame.life[row] === ".") return `${named(row)} at step ${step}: not there`;
    const life = data.lives[frame.life[row]][0];
    return `${named(row)} at step ${step}: ${life}, ${data.healths[frame.health[row]]}, ${texts[frame.versions[row]]}`;
  }

  function cell(step, row) {
    const made = document.createElement("td");
    const [life, health] = [frames[step].life[row], frames[step].health[row]];
    made.dataset.step = step;
    made.dataset.row = row;
    if (life !== ".") {
      made.className = `c${life}`;
      made.textContent = life;
      if (MARKS[health]) made.append(make("i", {}, MARKS[health]));
    }
    if (isChanged(step, row)) made.classList.add("changed");
    return made;
  }

  function headed(words, kind, from, to, tell) {
    const row = make("tr", { className: kind }, make("th", { scope: "rowgroup", colSpan: 2, title: words }, words));
    for (let step = from; step < to; step += 1) {
      const made = make("td", {}, tell(step));
      made.dataset.step = step;
      row.append(made);
    }
    return row;
  }

  /* A line above the columns of the steps that come again and again. */
  function bracket(from, to) {
    const row = make("tr", { className: "turn" }, make("th", { scope: "row", colSpan: 2 }, "↺ again and again"));
    const first = Math.max(from, turn);
    if (first > from) row.append(make("td", { colSpan: first - from }));
    row.append(make("td", { className: "turn", colSpan: to - first, title: turned, ariaLabel: turned }, "↺"));
    return row;
  }

  function place(row) {
    return JSON.stringify([row.set, row.zone, row.domain]);
  }

  /* The columns of the steps from `from` up to `to`, one row an instance, under its region and set. */
  function table(from, to) {
    const head = make("tr", {}, make("th", { className: "corner", colSpan: 2 }, "step"));
    for (let step = from; step < to; step += 1) {
      const link = make("a", { href: `#step=${step}`, tabIndex: -1 }, String(step));
      const top = make("th", { scope: "col" }, link);
      if (step === last) top.className = data.isBroken ? "end" : "end good";
      head.append(top);
    }
    const body = make("tbody");
    if (turn < to) body.append(bracket(from, to));
    rows.forEach((row, number) => {
      const before = rows[number - 1];
      if (!before || before.region !== row.region) {
        body.append(headed(`region ${row.region}`, "region", from, to, () => ""));
      }
      if (!before || before.set !== row.set) {
        body.append(headed(sets[row.set], "set", from, to, (step) => frames[step].sets[row.set].status));
      }
      const line = make("tr");
      if (!before || place(before) !== place(row)) {
        let span = 1;
        while (rows[number + span] && place(rows[number + span]) === place(row)) span += 1;
        const where = `${row.zone === "-" ? "no zone" : `zone ${row.zone}`} · UD ${row.domain}`;
        line.className = "first";
        line.append(make("th", { scope: "rowgroup", rowSpan: span, className: "at", title: where }, where));
      }
      line.append(make("th", { scope: "row", className: "id", title: named(number) }, row.id));
      for (let step = from; step < to; step += 1) line.append(cell(step, number));
      body.append(line);
    });
    return make("div", { className: "wide" }, make("table", {}, make("thead", {}, head), body));
  }

  function legend() {
    const seen = new Set(frames.flatMap((frame) => [...frame.life]));
    const lives = Object.entries(data.lives)
      .filter(([letter]) => seen.has(letter))
      .map(([letter, [word, words]]) =>
        make("li", { title: words }, make("span", { className: `c${letter}` }, letter), word));
    const marks = Object.entries(MARKS).map(([health, mark]) =>
      make("li", {}, make("span", { className: "plain" }, mark), data.healths[health]));
    const attempts = Object.entries(data.attempts)
      .filter(([letter]) => letter)
      .map(([letter, word]) => `${letter} ${word}`);
    const repeated = turned ? [make("li", { id: "turned" }, `↺ ${turned}`)] : [];
    return make("ul", { className: "legend" }, ...repeated, ...lives, ...marks,
      make("li", {}, "framed: changed by the step"), make("li", {}, `beside a set: ${attempts.join(", ")}`));
  }

  const scroll = make("div", { className: "scroll screen", tabIndex: 0, role: "region", ariaLabel: "Instances by step" });
  const column = make("div", { id: "column" });
  const paper = make("div", { id: "paper", hidden: true });

  function layTimeline() {
    const whole = table(0, frames.length);
    whole.append(column);
    scroll.append(whole);
    timeline.append(make("h2", {}, "Who stands where"), scroll, paper, legend());
    scroll.addEventListener("click", (event) => {
      const over = event.target.closest("td[data-step]");
      if (over) go(Number(over.dataset.step));
    });
    scroll.addEventListener("mouseover", (event) => {
      const over = event.target.closest("td[data-row]");
      if (over && !over.title) over.title = said(Number(over.dataset.step), Number(over.dataset.row));
    });
  }

  /* Frames the column of a step, and brings it and whom the step is about into view. */
  function showColumn(step) {
    const heads = scroll.querySelectorAll("thead th");
    const top = heads[step + 1];
    column.style.left = `${top.offsetLeft}px`;
    column.style.width = `${top.offsetWidth}px`;
    reveal("scrollLeft", scroll.clientWidth, heads[0].offsetWidth, top.offsetLeft, top.offsetWidth);
    for (const before of scroll.querySelectorAll("th.acted")) before.classList.remove("acted");
    const acted = steps[step].acted.map((row) => scroll.querySelector(`td[data-row="${row}"]`).parentElement);
    for (const line of acted) line.querySelector("th.id").classList.add("acted");
    if (acted.length) {
      reveal("scrollTop", scroll.clientHeight, heads[0].offsetHeight, acted[0].offsetTop, acted[0].offsetHeight);
    }
  }

  /* Scrolls so far that what begins at `start` is between the fixed heads and the far edge, with a little around it. */
  function reveal(side, room, heads, start, size) {
    const around = 2 * size;
    if (start - heads < scroll[side]) scroll[side] = start - heads - around;
    else if (start + size > scroll[side] + room) scroll[side] = start + size - room + around;
  }

  // --- the state at a step -------------------------------------------------------------------------------------------

  function block(title, ...children) {
    return make("div", {}, make("h3", {}, title), ...children);
  }

  function nothing(words) {
    return make("p", { className: "soft" }, words);
  }

  function whatHappened(step) {
    const { who, did, came } = steps[step];
    const made = make("div", { className: "whole", id: "happened" });
    made.append(make("h2", {}, `Step ${step} of ${last}`));
    made.append(make("p", { className: "did" }, make("span", { className: "who" }, who), ` ${did}`));
    if (came.length) made.append(listed(came));
    if (step >= turn) made.append(make("p", { className: "soft", id: "again" }, `↺ one of those that repeat: ${turned}`));
    if (step === last) {
      const words = data.ending ? `${data.mark}: ${data.ending}` : data.mark;
      made.append(make("p", { className: `mark ${data.isBroken ? "violated" : "holds"}`, id: "mark" }, words));
    }
    return made;
  }

  function whoWaits(frame) {
    if (!frame.waiting.length) return block("Why they wait", nothing("nobody is pending"));
    const made = make("dl", { id: "waiting" });
    for (const [those, reasons] of frame.waiting) {
      made.append(make("dt", {}, together(those)));
      for (const reason of reasons) made.append(make("dd", {}, texts[reason]));
    }
    return block("Why they wait", made);
  }

  function whatMayStart(frame) {
    if (!frame.choices.length) return block("What may start now", nothing("no batch is legal"));
    return block("What may start now", listed(frame.choices.map(([those, where]) => `${together(those)} ${texts[where]}`)));
  }

  function howSetsStand(frame) {
    const made = make("dl", { id: "sets" });
    frame.sets.forEach((one, number) => {
      made.append(make("dt", {}, sets[number]));
      const marks = one.marks.map((mark) => texts[mark]);
      made.append(make("dd", {}, [texts[one.said], ...marks].join(", ")));
      made.append(make("dd", {}, one.hold === null ? "holds no cell" : `holds cell ${texts[one.hold]}`));
      for (const [words, isOver] of one.gates) made.append(make("dd", { className: isOver ? "over" : "" }, texts[words]));
    });
    return block("Sets", made);
  }

  function whatIsOpen(frame) {
    const commands = frame.commands.map(([those, what]) => `${texts[what]}: ${together(those)}`);
    return make("div", {},
      make("h3", {}, "Rollouts"), frame.rollouts.length ? listed(frame.rollouts.map((one) => texts[one])) : nothing("none"),
      make("h3", {}, "Open commands"), commands.length ? listed(commands) : nothing("none"));
  }

  // --- stepping ------------------------------------------------------------------------------------------------------

  const counter = make("output"); // a live region: a screen reader says where one is
  const buttons = [
    ["|◀", "First step (Home)", () => 0],
    ["◀", "Step back (left arrow, k)", () => current - 1],
    ["▶", "Step on (right arrow, j)", () => current + 1],
    ["▶|", "Last step (End)", () => last],
  ].map(([sign, words, where]) =>
    make("button", { type: "button", title: words, ariaLabel: words, onclick: () => go(where()) }, sign));

  function layBar() {
    const [first, back, on, end] = buttons;
    const keys = make("span", { className: "soft" });
    for (const key of ["←", "→", "Home", "End", "j", "k"]) keys.append(make("kbd", {}, key), " ");
    const save = make("button", { type: "button", title: "For `phasegate replay`", onclick: saveLog }, "Save the log");
    bar.append(first, back, counter, on, end, save, keys);
  }

  function saveLog() {
    const address = URL.createObjectURL(new Blob(data.log, { type: "application/x-ndjson" }));
    make("a", { href: address, download: `${data.name.replace(/[^\w.-]+/g, "-")}.ndjson` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  }

  /* Goes to a step, and writes it into the address without a step of its own in the browser's history. */
  function go(step) {
    const to = clip(step);
    if (`#step=${to}` !== location.hash) location.replace(`#step=${to}`);
    show(to);
  }

  function show(step) {
    if (step === current) return;
    current = step;
    const frame = frames[step];
    now.replaceChildren(
      whatHappened(step),
      make("div", {}, whoWaits(frame), whatMayStart(frame), whatIsOpen(frame)),
      make("div", {}, howSetsStand(frame)));
    counter.textContent = `step ${step} of ${last}`;
    buttons.forEach((button, at) => { button.disabled = step === (at < 2 ? 0 : last); });
    showColumn(step);
    const before = story.querySelector("[aria-current]");
    if (before) before.removeAttribute("aria-current");
    const item = items[step];
    item.setAttribute("aria-current", "step");
    const [top, height] = [item.offsetTop, item.offsetHeight];
    if (top < story.scrollTop) story.scrollTop = top;
    else if (top + height > story.scrollTop + story.clientHeight) story.scrollTop = top + height - story.clientHeight;
  }

  function asked() {
    const found = /^#step=(\d+)$/.exec(location.hash);
    return found ? clip(Number(found[1])) : 0;
  }

  const KEYS = {
    ArrowLeft: () => current - 1, k: () => current - 1,
    ArrowRight: () => current + 1, j: () => current + 1,
    Home: () => 0, End: () => last,
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    go(KEYS[event.key]());
  });
  window.addEventListener("hashchange", () => show(asked()));

  // --- on paper ------------------------------------------------------------------------------------------------------

  function toPaper(isPrinted) {
    paper.hidden = !isPrinted;
    paper.replaceChildren();
    if (!isPrinted) return;
    for (let from = 0; from < frames.length; from += PRINTED) {
      paper.append(table(from, Math.min(frames.length, from + PRINTED)));
    }
  }

  window.matchMedia("print").addEventListener("change", (event) => toPaper(event.matches));
  window.addEventListener("beforeprint", () => toPaper(true));
  window.addEventListener("afterprint", () => toPaper(false));

  layBar();
  for (const part of [bar, timeline, now]) part.hidden = false;
  layTimeline();
  show(asked());
})();
