
// Without this script the page still reads picture files. It adds the canvas, whose drawing goes with the form.
const canvas = document.getElementById("canvas");
const pen = canvas.getContext("2d");
let drawn = false;
let last = null; // where the pen was; null while it is up

function clear() {
  pen.fillStyle = "white"; // a canvas is transparent otherwise
  pen.fillRect(0, 0, canvas.width, canvas.height);
  drawn = false;
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) * canvas.width) / box.width,
    y: ((event.clientY - box.top) * canvas.height) / box.height,
  };
}

function draw(event) {
  if (!last || !event.isPrimary) return;
  pen.beginPath();
  pen.moveTo(last.x, last.y);
  // A fast pen is at several places between two frames. Where it has just come down, it makes a dot.
  const events = event.getCoalescedEvents?.() ?? [];
  for (const step of events.length ? events : [event]) {
    last = place(step);
    pen.lineTo(last.x, last.y);
  }
  pen.stroke();
  drawn = true;
}

canvas.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button !== 0) return;
  event.preventDefault();
  canvas.setPointerCapture(event.pointerId); // the stroke goes on where the pen leaves the canvas
  last = place(event);
  draw(event);
});
canvas.addEventListener("pointermove", draw);
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, (event) => {
    if (event.isPrimary) last = null;
  });
}
document.getElementById("clear").addEventListener("click", clear);

document.querySelector("form").addEventListener("formdata", (event) => {
  if (!drawn) return;
  const png = atob(canvas.toDataURL("image/png").split(",")[1]); // toBlob would come too late
  const bytes = Uint8Array.from(png, (letter) => letter.charCodeAt(0));
  event.formData.append("pictures", new Blob([bytes], { type: "image/png" }), "drawing.png");
});

pen.strokeStyle = "#111";
pen.lineWidth = canvas.width / 16;
pen.lineCap = pen.lineJoin = "round";
clear();
document.getElementById("drawing").hidden = false;
