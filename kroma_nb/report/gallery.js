// The large view: shows the page's pictures one at a time, by keyboard or by hand, and writes text only as text.
"use strict";

(() => {
  const dialog = document.getElementById("zoom");
  if (!dialog || !dialog.showModal) return;

  const stage = dialog.querySelector(".stage");
  const caption = dialog.querySelector(".caption");
  const full = dialog.querySelector(".full");
  const pixels = dialog.querySelector("[data-do=pixels]");
  const view = document.createElement("img");
  // A decoded picture swaps without a flash, so that two can be compared by flipping between them.
  view.decoding = "sync";

  const pictures = (place, selector) => [...place.querySelectorAll(selector)];
  const rows = [...document.querySelectorAll(".scene")]
    .flatMap((scene) => [
      pictures(scene, ".source a > img"),
      ...[...scene.querySelectorAll(".take")].map((take) => pictures(take, ".candidate a > img")),
    ])
    .filter((row) => row.length);

  let current = null;
  let before = null;
  let peeking = false;

  const text = (place, selector) => place?.querySelector(selector)?.textContent.trim() ?? "";
  const sourceOf = (image) => image.closest(".scene").querySelector(".source a > img");

  function describe(image) {
    const figure = image.closest("figure");
    const parts = [text(image.closest(".scene"), "h2")];
    if (figure.classList.contains("source")) {
      parts.push("source");
    } else {
      const said = [...figure.querySelectorAll(".rank > *")].map((part) => part.innerText.replace(/\s+/g, " ").trim());
      parts.push(text(image.closest(".take"), "h3"), ...said);
      parts.push(...[...figure.querySelectorAll(".said li")].map((line) => line.textContent));
    }
    const size = `${image.getAttribute("width")} × ${image.getAttribute("height")}`;
    parts.push(size === image.dataset.full ? size : `preview ${size} of ${image.dataset.full}`);
    return parts.join(" · ");
  }

  // One pixel of the stored picture to one of the screen; a smaller preview is enlarged to that, and the caption says so.
  function scale(image) {
    const real = stage.classList.contains("pixels");
    const [wide, high] = image.dataset.full.split(" × ").map((side) => `${side / window.devicePixelRatio}px`);
    view.style.width = view.style.minWidth = real ? wide : "";
    view.style.height = view.style.minHeight = real ? high : "";
  }

  function draw(image) {
    const [left, top] = [stage.scrollLeft, stage.scrollTop];
    view.src = image.src;
    view.alt = image.alt;
    view.classList.toggle("cutout", image.parentElement.classList.contains("cutout"));
    stage.classList.toggle("wins", image.closest("figure").classList.contains("winner"));
    full.href = image.parentElement.href;
    caption.textContent = describe(image);
    // What is only peeked at takes the place of what it is compared with.
    scale(peeking ? current : image);
    stage.scrollTo(left, top);
  }

  function show(image) {
    if (!image) return;
    if (current && current !== image) before = current;
    current = image;
    draw(image);
    if (!dialog.open) {
      stage.append(view);
      dialog.showModal();
      stage.focus();
    }
  }

  function peek(image) {
    if (!image) return;
    peeking = true;
    draw(image);
  }

  function settle() {
    if (!peeking) return;
    peeking = false;
    draw(current);
  }

  function step(across, down) {
    const row = rows.findIndex((one) => one.includes(current));
    const next = rows[Math.min(rows.length - 1, Math.max(0, row + down))];
    const column = rows[row].indexOf(current) + across;
    show(next[Math.min(next.length - 1, Math.max(0, column))]);
  }

  function choose(number) {
    const row = rows.findIndex((one) => one.includes(current));
    const candidates = current.closest(".source") ? rows[row + 1] : rows[row];
    show(candidates?.find((image) => image.closest("figure").dataset.n === number));
  }

  function toggle(event) {
    const box = view.getBoundingClientRect();
    const real = stage.classList.toggle("pixels");
    pixels.setAttribute("aria-pressed", String(real));
    scale(current);
    if (!real) return;
    const fit = Math.min(box.width / view.naturalWidth, box.height / view.naturalHeight);
    const x = event ? 0.5 + (event.clientX - box.left - box.width / 2) / (fit * view.naturalWidth) : 0.5;
    const y = event ? 0.5 + (event.clientY - box.top - box.height / 2) / (fit * view.naturalHeight) : 0.5;
    stage.scrollTo(x * stage.scrollWidth - stage.clientWidth / 2, y * stage.scrollHeight - stage.clientHeight / 2);
  }

  const actions = {
    previous: () => step(-1, 0),
    next: () => step(1, 0),
    pixels: () => toggle(),
    close: () => dialog.close(),
  };
  const held = { source: () => peek(sourceOf(current)), before: () => peek(before) };
  const keys = {
    ArrowLeft: actions.previous,
    ArrowRight: actions.next,
    ArrowUp: () => step(0, -1),
    ArrowDown: () => step(0, 1),
    z: actions.pixels,
    s: held.source,
    b: held.before,
    o: () => full.click(),
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.mat");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    show(link.querySelector("img"));
  });

  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const button = event.target.closest("[data-do=source], [data-do=before]");
    const holds = button && (event.key === "Enter" || event.key === " ");
    const act = holds ? held[button.dataset.do] : keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act && !/^[1-9]$/.test(event.key)) return;
    event.preventDefault();
    if (event.repeat && !event.key.startsWith("Arrow")) return;
    if (act) act();
    else choose(event.key);
  });
  dialog.addEventListener("keyup", settle);
  window.addEventListener("blur", settle);

  dialog.addEventListener("click", (event) => {
    const action = actions[event.target.closest("[data-do]")?.dataset.do];
    if (action) action();
  });
  dialog.addEventListener("pointerdown", (event) => {
    const hold = held[event.target.closest("[data-do]")?.dataset.do];
    if (hold) hold();
  });
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) dialog.addEventListener(end, settle);

  let drag = null;
  view.draggable = false;
  view.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, moved: false };
  });
  view.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerType === "touch" || event.buttons !== 1) return;
    const [right, down] = [drag.x - event.clientX, drag.y - event.clientY];
    if (!drag.moved && Math.hypot(right, down) < 4) return;
    drag = { x: event.clientX, y: event.clientY, moved: true };
    stage.scrollBy(right, down);
  });
  view.addEventListener("click", (event) => {
    if (!drag?.moved) toggle(event);
    drag = null;
  });

  dialog.addEventListener("close", () => {
    const link = current.parentElement;
    link.focus({ preventScroll: true });
    link.scrollIntoView({ block: "nearest" });
  });
})();
