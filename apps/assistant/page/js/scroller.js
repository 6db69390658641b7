// Follows what is written, unless the person scrolled up to read.

const NEAR = 60;  // px

export function drawScroller(place, button) {
  const atEnd = () => place.scrollHeight - place.scrollTop - place.clientHeight < NEAR;
  const toEnd = () => { place.scrollTop = place.scrollHeight; };
  const update = () => { button.hidden = atEnd(); };
  place.addEventListener("scroll", update, { passive: true });
  button.addEventListener("click", toEnd);
  let followed = true;
  place.addEventListener("scroll", () => { followed = atEnd(); }, { passive: true });
  new ResizeObserver(() => { if (followed) toEnd(); update(); }).observe(place);
  return { atEnd, toEnd };
}
