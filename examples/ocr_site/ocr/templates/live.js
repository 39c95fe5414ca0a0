// What is read in the drawing while it grows: when the pen has rested, one request at a time, and as slowly as the server asks.
{
  const PAUSE = 300; // milliseconds
  const LONGEST = 10000;
  const live = document.getElementById("live");
  const [digit, sure, list] = [".digit", ".sure", ".bars"].map((part) => live.querySelector(part));
  let timer = 0;
  let request = null;
  let begun = 0; // when it was sent
  let pause = PAUSE;
  let closed = 0; // until when the server wants to be left alone

  function wait() {
    clearTimeout(timer);
    timer = setTimeout(read, Math.max(pause, closed - Date.now()));
  }

  function show(text, said, probabilities) {
    digit.textContent = text;
    sure.textContent = said;
    list.classList.toggle("off", !probabilities);
    [...list.children].forEach((row, number) => {
      const [, bar, percent] = row.children;
      const probability = probabilities?.[number];
      bar.value = probability ?? 0;
      percent.textContent = probability === undefined ? "" : percentage(probability);
      row.classList.toggle("best", text === `${number}`);
    });
  }

  function percentage(probability) {
    return `${(100 * probability).toFixed(1)}%`;
  }

  function tell(answer) {
    if (answer.number) {
      show(answer.number.replaceAll("\n", " "), `${percentage(answer.number_confidence)} sure`, null);
    } else if (answer.is_digit) {
      show(`${answer.digit}`, `${percentage(answer.confidence)} sure`, answer.probabilities);
    } else {
      show("?", "No digit that is sure", answer.probabilities);
    }
    reading.say(`Drawing: ${answer.number || answer.is_digit ? `${digit.textContent}, ` : ""}${sure.textContent}.`);
  }

  async function read() {
    const mine = new AbortController();
    request = mine;
    begun = Date.now();
    try {
      const body = await drawing.file();
      const headers = { "Content-Type": "image/png" };
      const response = await fetch(live.dataset.address, { method: "POST", body, headers, signal: mine.signal });
      if ([429, 503].includes(response.status)) {
        const left = Number(response.headers.get("Retry-After")) || 10;
        closed = Date.now() + 1000 * left;
        show("", `The server is busy. The drawing is read in ${left} seconds.`, null);
        wait();
      } else {
        const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
        const answer = isJson ? await response.json() : { error: `The server fails (${response.status}).` };
        if (response.ok && isJson) tell(answer);
        else show("", answer.error, null);
      }
    } catch {
      if (!mine.signal.aborted) show("", "The server cannot be reached.", null);
    }
    if (request === mine) {
      request = null;
      pause = PAUSE;
    }
  }

  drawing.changed = () => {
    if (request) {
      // The server may go on with what nobody waits for any more.
      pause = Math.min(Math.max(pause, Date.now() - begun), LONGEST);
      request.abort();
      request = null;
    }
    if (drawing.isEmpty()) {
      clearTimeout(timer);
      show("", "Nothing is drawn yet.", []);
    } else wait();
  };
  drawing.changed();
}
