/** Two bells, made here: a sound file would be one more request and one more content security rule. */
export function chime() {
  if (!globalThis.AudioContext) return;
  const audio = new AudioContext();
  for (const [index, pitch] of [880, 1320].entries()) {
    const [tone, gain] = [audio.createOscillator(), audio.createGain()];
    const start = audio.currentTime + index * 0.15;
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(0.15, start);
    gain.gain.exponentialRampToValueAtTime(0.001, start + 0.8);
    tone.connect(gain).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.8);
    if (index) tone.onended = () => audio.close();
  }
}
