// Photos go one by one, two at a time; each result appears when it is there, over the picture that the browser still has.
(() => {
  const form = document.getElementById("send");
  const at = (id) => document.getElementById(id);
  const [work, results, state, bar, stop, report] = ["work", "results", "state", "bar", "stop", "report"].map(at);
  const text = form.dataset;
  const AT_ONCE = 2;
  const ATTEMPTS = 4;
  let queue = Promise.resolve();
  let stopping = null;
  form.classList.add("with-script");

  const alertOf = (name, why) => {
    const box = document.createElement("div");
    box.className = "alert alert-danger refused";
    box.setAttribute("role", "alert");
    const strong = document.createElement("strong");
    strong.textContent = name ? `${name}: ` : "";
    box.append(strong, why);
    return box;
  };

  // The picture under its boxes, from this window's memory; the browser turns it as its orientation says.
  const showPicture = (part, file) => {
    const frame = part.querySelector(".frame:not(.has-picture), .short-picture");
    if (!frame) return;
    const image = new Image();
    image.alt = part.querySelector(".frame") ? file.name : "";
    image.addEventListener("load", () => frame.classList.add("has-picture"), { once: true });
    image.addEventListener("error", () => image.remove(), { once: true }); // a TIFF, which browsers do not show
    image.src = URL.createObjectURL(file);
    frame.prepend(image);
  };

  const wait = (seconds) => new Promise((go) => setTimeout(go, 1000 * seconds));

  // a server that is busy says when to come back; nothing is kept of a photo that it did not take
  const post = async (body, signal) => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await fetch(text.read, { method: "POST", body, signal, redirect: "manual" });
      if (answer.status !== 503 || attempt === ATTEMPTS || signal?.aborted) return answer;
      await wait(Math.min(Number(answer.headers.get("Retry-After")) || 2, 10));
    }
  };

  const send = async (file, batch, signal) => {
    const body = new FormData();
    body.append("photo", file);
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    if (form.elements.keep?.checked) body.append("keep", "yes");
    if (batch) body.append("batch", batch);
    const answer = await post(body, signal);
    if (answer.type === "opaqueredirect") return window.location.reload(); // logged out, or the notice is new
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.querySelector("article, .refused") || alertOf(file.name, page.querySelector("main p:not(.status)")?.textContent || text.broken);
    results.append(part);
    if (answer.ok) showPicture(part, file);
    return answer.ok;
  };

  const sendOrSay = async (file, batch, signal) => {
    try {
      return await send(file, batch, signal);
    } catch (error) {
      if (error.name !== "AbortError") results.append(alertOf(file.name, text.broken));
      return false;
    }
  };

  const startBatch = async (total) => {
    const body = new FormData();
    body.append("total", total);
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    const answer = await fetch(text.batch, { method: "POST", body, redirect: "manual" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };

  const begin = () => {
    for (const image of results.querySelectorAll("img")) if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
    results.replaceChildren();
    work.hidden = false;
    report.hidden = bar.hidden = stop.hidden = true;
    state.textContent = text.reading;
  };

  const readOne = async (file) => {
    results.classList.remove("many");
    const read = await sendOrSay(file, "", undefined);
    state.textContent = read ? text.done : "";
    at("work-title").focus({ preventScroll: true });
    work.scrollIntoView({ block: "start" });
  };

  const readMany = async (files) => {
    results.classList.add("many");
    let batch;
    try {
      batch = await startBatch(files.length);
    } catch {
      state.textContent = "";
      return results.append(alertOf("", text.broken));
    }
    let done = 0;
    let failed = 0;
    stopping = new AbortController();
    const { signal } = stopping;
    const say = () => {
      bar.value = done + failed;
      state.textContent = text.progress.replace("{done}", done).replace("{total}", files.length) + (failed ? ` ${text.failed.replace("{failed}", failed)}` : "");
    };
    bar.max = files.length;
    bar.hidden = stop.hidden = false;
    say();
    const left = [...files];
    const worker = async () => {
      while (left.length && !signal.aborted) {
        const read = await sendOrSay(left.shift(), batch.uid, signal);
        if (signal.aborted) return;
        if (read) done += 1;
        else failed += 1;
        say();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    stop.hidden = true;
    if (signal.aborted) state.textContent += ` ${text.stopped}`;
    report.href = batch.address;
    report.hidden = false;
    report.focus();
  };

  const take = (list) => {
    const given = [...list];
    if (!given.length) return;
    begin();
    const files = given.filter((file) => file.size <= text.megabytes * 1e6);
    for (const file of given) if (!files.includes(file)) results.append(alertOf(file.name, text.tooLarge));
    if (files.length > text.most) results.append(alertOf("", text.tooMany));
    if (!files.length || files.length > text.most) {
      state.textContent = "";
      return;
    }
    return files.length === 1 && given.length === 1 ? readOne(files[0]) : readMany(files);
  };
  // a second choice waits until the first is done
  const takeInTurn = (list) => {
    const files = [...list];
    queue = queue.then(() => take(files));
  };

  for (const input of form.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      takeInTurn(input.files);
      input.value = "";
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  stop.addEventListener("click", () => stopping?.abort());
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) takeInTurn(event.clipboardData.files);
  });
  const drop = at("drop");
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) document.addEventListener(name, () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) return takeInTurn(event.dataTransfer.files);
    begin();
    state.textContent = text.noPicture;
  });
})();
