// Reading files without leaving the page: the drawing stays, and a reload sends nothing again.
const reading = (() => {
  const form = document.querySelector("form");
  const results = document.getElementById("results");
  const status = document.getElementById("said"); // screen readers say what comes into it
  let request = null;

  function say(text) {
    if (status.textContent !== text) status.textContent = text; // and say it once
  }

  function refuse(problem) {
    const message = document.createElement("p");
    message.className = "problem";
    message.setAttribute("role", "alert"); // which is said, too
    message.textContent = problem;
    results.replaceChildren(message);
    results.scrollIntoView({ block: "nearest" });
  }

  async function read(files) {
    request?.abort();
    say("");
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    if (files.length > form.dataset.mostFiles || bytes > form.dataset.mostBytes) {
      refuse(form.dataset.tooLarge); // the server would say the same after all was sent
      return;
    }
    const mine = new AbortController();
    request = mine;
    form.setAttribute("aria-busy", "true");
    try {
      const body = new FormData();
      body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
      for (const file of files) body.append("pictures", file, file.name);
      const headers = { "X-Requested-With": "fetch" }; // the results alone, without the page around them
      const answer = await fetch(form.action, { method: "POST", body, headers, signal: mine.signal });
      show(await answer.text(), answer.status);
    } catch {
      if (!mine.signal.aborted) refuse("The server cannot be reached, or a file cannot be read. Please try again.");
    }
    if (request === mine) form.removeAttribute("aria-busy");
  }

  function show(text, code) {
    const found = new DOMParser().parseFromString(text, "text/html").getElementById("results");
    if (!found) {
      refuse(`The server could not answer (${code}). Please try again later.`);
      return;
    }
    results.replaceChildren(...found.children);
    say([...results.querySelectorAll("[data-said]")].map((one) => one.dataset.said).join(" "));
    results.scrollIntoView({ block: "nearest" });
    results.querySelector("h2")?.focus();
  }

  return { read, refuse, say };
})();
