// The canvas: its strokes, which can be undone, and the picture that they make. Without scripts, the page still reads files.
const drawing = (() => {
  const canvas = document.getElementById("canvas");
  const pen = canvas.getContext("2d");
  let strokes = []; // each a list of points
  let stroke = null; // the one of the pen that is down
  let past = []; // what `strokes` was before each stroke, and before each clearing

  const self = {
    changed() {}, // called after each change
    isEmpty: () => strokes.length === 0,
    file: async () => {
      const png = await new Promise((resolve) => canvas.toBlob(resolve));
      return new File([png], "drawing.png", { type: "image/png" });
    },
  };

  function paint(points) {
    pen.beginPath();
    pen.moveTo(points[0].x, points[0].y);
    for (const { x, y } of points) pen.lineTo(x, y); // a single point makes a dot
    pen.stroke();
  }

  function repaint() {
    stroke = null;
    pen.fillStyle = "white"; // a canvas is transparent otherwise
    pen.fillRect(0, 0, canvas.width, canvas.height);
    strokes.forEach(paint);
  }

  function show(chosen) {
    strokes = chosen;
    repaint();
    self.changed();
  }

  function undo() {
    if (past.length) show(past.pop());
  }

  function clear() {
    if (self.isEmpty()) return;
    past.push(strokes);
    show([]);
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) * canvas.width) / box.width,
      y: ((event.clientY - box.top) * canvas.height) / box.height,
    };
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId); // the stroke goes on where the pen leaves the canvas
    past.push(strokes);
    stroke = [place(event)];
    strokes = [...strokes, stroke];
    paint(stroke);
    self.changed();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke || !event.isPrimary) return;
    const events = event.getCoalescedEvents?.() ?? []; // a fast pen is at several places between two frames
    const before = stroke.length - 1;
    stroke.push(...(events.length ? events : [event]).map(place));
    paint(stroke.slice(before));
    self.changed();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (event.isPrimary) repaint(); // each stroke as one: what an undo leaves is then what was there before
    });
  }
  document.getElementById("undo").addEventListener("click", undo);
  document.getElementById("clear").addEventListener("click", clear);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z") {
      event.preventDefault();
      undo();
    }
  });

  pen.strokeStyle = "#111";
  pen.lineWidth = canvas.width / 16;
  pen.lineCap = pen.lineJoin = "round";
  show([]);
  document.querySelector("#drawing .buttons").prepend(document.getElementById("read")); // it stood below the files
  document.getElementById("drawing").hidden = false;
  return self;
})();
