// The ways in which pictures come: the button, the file chooser, the camera, dropped on the page, and pasted.
{
  const form = document.querySelector("form");
  const chooser = document.getElementById("pictures");
  const camera = document.createElement("input"); // not a field of the form, and not seen: a button opens it
  for (const [name, value] of [["type", "file"], ["accept", "image/*"], ["capture", "environment"]]) {
    camera.setAttribute(name, value);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const files = [...chooser.files];
    reading.read(drawing.isEmpty() ? files : [...files, await drawing.file()]);
  });

  for (const input of [chooser, camera]) {
    input.addEventListener("change", () => {
      if (input.files.length) reading.read([...input.files]);
    });
  }
  document.getElementById("camera").addEventListener("click", () => {
    camera.value = ""; // so that the same picture is a change, too
    camera.click();
  });

  function takes(event) {
    return ["Files", "text/uri-list"].some((kind) => event.dataTransfer.types.includes(kind));
  }

  function dragging(is) {
    document.body.classList.toggle("dragging", is);
  }

  document.addEventListener("dragover", (event) => {
    if (!takes(event)) return;
    event.preventDefault(); // or the browser would show the file instead of the page
    dragging(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) dragging(false);
  });
  document.addEventListener("drop", (event) => {
    if (!takes(event)) return;
    event.preventDefault();
    dragging(false);
    const files = [...event.dataTransfer.files];
    if ([...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory)) {
      reading.refuse("That is a folder. Drop the pictures that are in it.");
    } else if (files.length) {
      reading.read(files);
    } else {
      reading.refuse("That is a link and no picture. Save the picture as a file, and drop the file.");
    }
  });

  document.addEventListener("paste", (event) => {
    event.preventDefault();
    const files = [...event.clipboardData.files];
    if (files.length) reading.read(files);
    else reading.refuse("There is no picture on the clipboard.");
  });

  document.getElementById("more").hidden = false;
}
