// The player's sound without a browser: public/sound.js on a stand-in for the audio thread, one render quantum after the other.
import { expect, test } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';

const SOURCE = readFileSync(new URL('../../public/sound.js', import.meta.url), 'utf8');
const QUANTUM = 128;
const RATE = 48_000;
const FADE = 0.005 * RATE;

type Report = { at: number; time: number; ahead: number; dry: boolean; playing: boolean; rate: number };

/** What `registerProcessor` is given. */
type Processor = new () => {
  port: { onmessage: (event: { data: unknown }) => void };
  process(inputs: [], outputs: Float32Array[][], parameters: object): boolean;
};

class AudioThread {
  readonly reports: Report[] = [];
  /** The last chunk sent ends at this frame. */
  sent = 0;
  alive = true;
  private readonly processor: InstanceType<Processor>;
  private readonly globals = { currentTime: 0, currentFrame: 0 };

  constructor(readonly channels = 1, readonly rate = RATE) {
    const { reports, globals } = this;
    const registered = new Map<string, Processor>();
    const registerProcessor = (name: string, processor: Processor) => registered.set(name, processor);
    class AudioWorkletProcessor {
      port = { postMessage: (report: Report) => void reports.push({ ...report }) };
    }
    const context = Object.assign(globals, { sampleRate: rate, registerProcessor, AudioWorkletProcessor });
    runInContext(SOURCE, createContext(context));
    this.processor = new (registered.get('madang-sound')!)();
  }

  send(data: unknown): void {
    this.processor.port.onmessage({ data });
  }

  /** Sends what `signal` gives from one frame to another, in chunks as AAC makes them. */
  sound(signal: Signal, from: number, to: number): void {
    for (let frame = from; frame < to; frame += 1024) {
      this.send({ at: frame / this.rate, planes: [samples(signal, frame, Math.min(to, frame + 1024))] });
    }
    this.sent = to;
  }

  /** Renders so many quanta; what sounded, by channel. */
  render(quanta: number, before?: () => void): Float32Array[] {
    const all = Array.from({ length: this.channels }, () => new Float32Array(quanta * QUANTUM));
    for (let q = 0; q < quanta; q += 1) {
      before?.();
      const outputs = all.map(() => new Float32Array(QUANTUM));
      this.alive = this.processor.process([], [outputs], {});
      outputs.forEach((output, c) => all[c]!.set(output, q * QUANTUM));
      this.globals.currentFrame += QUANTUM;
      this.globals.currentTime = this.globals.currentFrame / this.rate;
    }
    return all;
  }

  hear(quanta: number, before?: () => void): Float32Array {
    return this.render(quanta, before)[0]!;
  }

  /** Renders while 0.2 s are kept queued ahead, as the player does. */
  follow(signal: Signal, quanta: number): Float32Array {
    return this.hear(quanta, () => {
      while (this.sent < ((this.reports.at(-1)?.at ?? 0) + 0.2) * this.rate) this.sound(signal, this.sent, this.sent + 1024);
    });
  }

  get last(): Report {
    return this.reports.at(-1)!;
  }
}

type Signal = (frame: number) => number;

const samples = (signal: Signal, from: number, to: number) => Float32Array.from({ length: to - from }, (_, i) => signal(from + i));
const joined = (parts: Float32Array[]): Float32Array => Float32Array.from(parts.flatMap((part) => [...part]));

const sine = (hz: number, rate = RATE): Signal => (frame) => 0.5 * Math.sin((2 * Math.PI * hz * frame) / rate);

/** No two samples alike, so that each can be told from the others. */
const counting: Signal = (frame) => (frame + 1) / 2 ** 20;

/** These very samples. Where they differ is said by the first that does: all of them fill a screen a thousand times. */
const same = (heard: Float32Array, sent: Float32Array): void => {
  expect(heard.length).toBe(sent.length);
  const at = heard.findIndex((sample, i) => sample !== sent[i]);
  expect({ at, sample: heard[at] }).toEqual({ at: -1, sample: undefined });
};

/** The largest step from one sample to the next: a click is one that the signal does not have. */
const steepest = (heard: Float32Array): number =>
  heard.reduce((most, sample, i) => (i === 0 ? 0 : Math.max(most, Math.abs(sample - heard[i - 1]!))), 0);

/** Between the first and the last time that it rises through zero. */
const pitch = (heard: Float32Array, rate: number): number => {
  const rises: number[] = [];
  for (let i = 1; i < heard.length; i += 1) {
    const [a, b] = [heard[i - 1]!, heard[i]!];
    if (a < 0 && b >= 0) rises.push(i - 1 + a / (a - b));
  }
  return ((rises.length - 1) * rate) / (rises.at(-1)! - rises[0]!);
};

/** Playing from the start of `signal`, with so much of it queued. */
const playing = (signal: Signal, queued: number, rate = RATE): AudioThread => {
  const thread = new AudioThread(1, rate);
  thread.sound(signal, 0, queued);
  thread.send({ seek: 0, play: true });
  return thread;
};

for (const rate of [48_000, 44_100]) {
  test(`at rate 1 and ${rate} Hz each sample sounds as it came, and the reports say which`, () => {
    const thread = new AudioThread(3, rate);
    thread.send({ at: 0, planes: [samples(counting, 0, 1000), samples((f) => -counting(f), 0, 1000)] });
    thread.sound(counting, 1000, 20_000);
    expect(thread.render(8)[0]!.every((sample) => sample === 0)).toBe(true);
    expect(thread.reports, 'nothing before it is told where').toEqual([]);
    thread.send({ seek: 100 / rate });
    thread.render(4);
    expect(thread.last).toMatchObject({ playing: false, dry: false, rate: 1 });
    thread.send({ play: true });
    const start = thread.last.time + 4 * (QUANTUM / rate);
    const [left, right, third] = thread.render(100) as [Float32Array, Float32Array, Float32Array];
    const fade = Math.round(rate * 0.005);
    same(left.slice(fade), samples(counting, 100 + fade, 100 + 100 * QUANTUM));
    same(right.slice(fade, 900), samples((f) => -counting(f), 100 + fade, 1000));
    // The last channel of a chunk is copied to those it lacks.
    same(third, right);
    same(right.slice(900), left.slice(900));
    const reports = thread.reports.filter((report) => report.playing);
    expect(reports).toHaveLength(25);
    for (const { at, time, ahead } of reports) {
      expect(at * rate).toBeCloseTo(100 + (time - start) * rate, 4);
      expect((at + ahead) * rate).toBeCloseTo(20_000, 4);
    }
  });
}

test('rounded stamps neither add nor drop samples, and overlapping chunks are trimmed', () => {
  const thread = new AudioThread();
  for (let i = 0; i < 20; i += 1) {
    // As FLV stamps them: whole milliseconds.
    thread.send({ at: Math.round((i * 1024) / 48) / 1000, planes: [samples(counting, i * 1024, (i + 1) * 1024)] });
  }
  thread.send({ at: 20_000 / RATE, planes: [samples(counting, 20_000, 30_000)] });
  thread.send({ at: 21_000 / RATE, planes: [samples(counting, 21_000, 24_000)] });
  thread.send({ seek: 0, play: true });
  const heard = thread.hear(230);
  same(heard.slice(FADE, 20_480), samples(counting, FADE, 20_480));
  // The end of the twentieth was rounded by less than half a millisecond: so is the seam.
  const seam = heard[20_480]! * 2 ** 20 - 1 - 20_480;
  expect(Math.abs(seam)).toBeLessThan(24);
  same(heard.slice(20_480, 29_000), samples(counting, 20_480 + seam, 29_000 + seam));
});

test('a gap is silence of its length', () => {
  const thread = playing(counting, 4_800);
  thread.sound(counting, 9_600, 14_400);
  const heard = thread.hear(100);
  same(heard.slice(FADE, 4_800), samples(counting, FADE, 4_800));
  expect(heard.slice(4_800, 9_600).every((sample) => sample === 0)).toBe(true);
  same(heard.slice(9_600, 12_800), samples(counting, 9_600, 12_800));
  for (const { at, time } of thread.reports) expect(at).toBeCloseTo(time, 9);
});

test('when nothing is left it goes silent without a click, stands, and goes on when enough is there', () => {
  const thread = playing(sine(440), 4_900);
  const heard = thread.hear(60);
  same(heard.slice(FADE, 4_900), samples(sine(440), FADE, 4_900));
  expect(heard.slice(4_900 + 144).every((sample) => sample === 0)).toBe(true);
  expect(steepest(heard)).toBeLessThan(1.6 * steepest(samples(sine(440), 0, 1000)));
  expect(thread.last).toMatchObject({ dry: true, playing: false, ahead: 0 });
  expect(thread.last.at * RATE).toBeCloseTo(4_900, 6);
  const turned = thread.reports.find((report) => report.dry)!;
  expect(turned.time * RATE, 'said at the next quantum').toBeCloseTo(39 * QUANTUM, 6);

  thread.sound(sine(440), 4_900, 6_800);
  expect(thread.hear(8).every((sample) => sample === 0)).toBe(true);
  expect(thread.last.at * RATE).toBeCloseTo(4_900, 6);
  thread.sound(sine(440), 6_800, 6_820);
  same(thread.hear(8).slice(FADE), samples(sine(440), 4_900 + FADE, 4_900 + 8 * QUANTUM));
  expect(thread.last).toMatchObject({ dry: false, playing: true });

  thread.send({ resume: 0.1 });
  thread.hear(20);
  thread.sound(sine(440), 6_820, 11_619);
  expect(thread.hear(8).every((sample) => sample === 0)).toBe(true);
  thread.sound(sine(440), 11_619, 11_620);
  expect(thread.hear(8).some((sample) => sample !== 0)).toBe(true);
});

test('a seek lands on its sample, drops what is before, and clicks not; so do pause and play', () => {
  const thread = playing(sine(440), 48_000);
  const before = thread.hear(30);
  thread.send({ seek: 30_001 / RATE });
  const after = thread.hear(30);
  same(after.slice(FADE), samples(sine(440), 30_001 + FADE, 30_001 + 30 * QUANTUM));
  thread.send({ play: false });
  const stopping = thread.hear(30);
  expect(stopping.slice(FADE).every((sample) => sample === 0)).toBe(true);
  expect(thread.last).toMatchObject({ playing: false, dry: false });
  expect(thread.last.at * RATE).toBeCloseTo(30_001 + 30 * QUANTUM + FADE, 4);
  thread.send({ play: true });
  const going = thread.hear(30);
  same(going.slice(FADE), samples(sine(440), 30_001 + 30 * QUANTUM + 2 * FADE, 30_001 + 60 * QUANTUM + FADE));
  const heard = joined([before, after, stopping, going]);
  expect(steepest(heard)).toBeLessThan(1.6 * steepest(samples(sine(440), 0, 1000)));

  // Back to what is no longer there: it waits for it, and plays it when it comes.
  thread.send({ seek: 0.05 });
  thread.hear(4);
  expect(thread.last).toMatchObject({ at: 0.05, dry: true, ahead: 0 });
  thread.sound(sine(440), 0, 10_000);
  same(thread.hear(30).slice(FADE), samples(sine(440), 2_400 + FADE, 2_400 + 30 * QUANTUM));
});

for (const [rate, sampleRate] of [[1.05, 48_000], [0.95, 48_000], [1.15, 48_000], [0.9, 44_100]] as const) {
  test(`at rate ${rate} a tone keeps its pitch, the time goes by at the rate, and nothing clicks (${sampleRate} Hz)`, () => {
    const signal = sine(440, sampleRate);
    const thread = playing(signal, 9_600, sampleRate);
    const start = thread.follow(signal, 8);
    thread.send({ rate });
    const first = thread.reports.length;
    const heard = thread.follow(signal, 3_000);
    const [from, to] = [thread.reports[first]!, thread.last];
    expect(thread.reports.some((report) => report.dry)).toBe(false);
    expect(to.rate).toBe(rate);
    expect(Math.abs(pitch(heard, sampleRate) / 440 - 1)).toBeLessThan(0.01);
    expect(Math.abs((to.at - from.at) / (to.time - from.time) / rate - 1)).toBeLessThan(0.01);
    // A splice that does not fit would be quiet.
    for (let i = 0; i + 256 < heard.length; i += 256) expect(Math.max(...heard.slice(i, i + 256))).toBeGreaterThan(0.48);

    // And there and back, every 37 quanta.
    const parts = [start, heard];
    for (let i = 0; i < 40; i += 1) {
      thread.send({ rate: i % 2 ? rate : 1 });
      parts.push(thread.follow(signal, 37));
    }
    const all = joined(parts);
    expect(steepest(all)).toBeLessThan(1.6 * steepest(samples(signal, 0, 1000)));
    const times = thread.reports.map((report) => report.at);
    expect(times.every((at, i) => i === 0 || at >= times[i - 1]!), 'its clock never goes back').toBe(true);
  });
}

test('where nothing fits quite, it still clicks not', () => {
  const chord: Signal = (frame) => [97, 431, 1_231, 1_789].reduce((sum, hz) => sum + sine(hz)(frame) / 4, 0);
  const thread = playing(chord, 9_600);
  thread.send({ rate: 1.15 });
  expect(steepest(thread.follow(chord, 2_000))).toBeLessThan(1.2 * steepest(samples(chord, 0, 48_000)));
});

test('10 ms are too little to go faster, and are played as they are', () => {
  const thread = playing(counting, 0);
  thread.send({ rate: 1.15, resume: 0.001 });
  const heard = thread.hear(200, () => thread.sound(counting, thread.sent, thread.sent + (thread.sent ? QUANTUM : 480)));
  same(heard.slice(FADE), samples(counting, FADE, 200 * QUANTUM));
  expect(thread.reports.some((report) => report.dry)).toBe(false);
  expect(thread.last.rate, 'and the report says so').toBe(1);
});

test('at most 4 s are kept, the newest, and it goes on from the oldest of them', () => {
  const thread = playing(counting, 4_800);
  thread.hear(8);
  thread.sound(counting, 4_800, 10 * RATE);
  const heard = thread.hear(8);
  const left = thread.reports.findLast((report) => report.at > 1)!;
  expect(left.ahead).toBeLessThanOrEqual(4);
  expect(left.ahead).toBeGreaterThan(3.9);
  expect(left.at + left.ahead).toBeCloseTo(10, 6);
  const from = Math.round((left.at - left.time) * RATE) + 8 * QUANTUM;
  same(heard.slice(FADE), samples(counting, from + FADE, from + 8 * QUANTUM));
});

test('messages that make no sense change nothing, and it ends when told', () => {
  const thread = playing(counting, 9_600);
  const one = new Float32Array(64);
  const at = 0.2;
  const chunks = [[], [new Float32Array(0)], [one, new Float32Array(63)], [null], [, one], ['a'], 'planes', {}, [new Float64Array(64)]];
  const nonsense = [null, 1, 'text', undefined, [], {}, ...chunks.map((planes) => ({ at, planes })), { at: NaN, planes: [one] },
    { at: Infinity, planes: [one] }, { at: 1e300, planes: [one] }, { planes: [one] }, { at: '0', planes: [one] }, { at: -9, planes: [one] },
    { seek: NaN }, { seek: '1' }, { seek: -1e300 }, { play: 'no' }, { rate: NaN }, { rate: '2' }, { resume: NaN }, { end: 'no' }];
  for (const message of nonsense) thread.send(message);
  same(thread.hear(70).slice(FADE), samples(counting, FADE, 70 * QUANTUM));
  expect((thread.last.at + thread.last.ahead) * RATE).toBeCloseTo(9_600, 4);
  expect(thread.alive).toBe(true);
  thread.send({ end: true });
  thread.render(1);
  expect(thread.alive).toBe(false);
});
