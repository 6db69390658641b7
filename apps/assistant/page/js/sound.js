// A ring made with Web Audio: two soft strokes, again and again until it is stopped.

const EVERY = 1400, NOTES = [[880, 0], [1174.66, 0.18]];  // ms; Hz and seconds

let context = null, timer = null;

function stroke(pitch, at) {
  const tone = context.createOscillator(), volume = context.createGain();
  tone.type = "sine";
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0.0001, at);
  volume.gain.exponentialRampToValueAtTime(0.35, at + 0.012);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.7);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + 0.75);
}

/** Browsers let a page sound only after a key or a click in it. */
export function unlockSound() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume().catch(() => {});
}

export function ring(isOn) {
  if (!isOn) {
    clearInterval(timer);
    timer = null;
  } else if (timer === null) {
    const once = () => {
      if (context?.state === "running") for (const [pitch, after] of NOTES) stroke(pitch, context.currentTime + after);
    };
    once();
    timer = setInterval(once, EVERY);
  }
}
