/** Where a stream stands. `idle`: the page is hidden, so nothing is streamed. */
export type LiveState = "connecting" | "live" | "lost" | "idle";

/** What to stream, and whom to tell. */
export interface LiveSource<Data> {
  /** Address that goes on after all that was seen: asked for again with each connection. */
  readonly address: () => string;
  readonly event: string;
  /** Called with each datum, in order. */
  readonly onData: (data: Data) => void;
  /** What to do with the data of other events, by their names. */
  readonly others?: Readonly<Record<string, (data: string) => void>>;
  readonly onState: (state: LiveState) => void;
  /** Called when a connection stands: what was missed can be read now. */
  readonly onOpen?: () => void;
}

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 10_000;

/**
 * Follows a stream of server-sent events until it is closed. A lost connection is opened again after a growing wait.
 * A hidden page lets go of its connection: browsers grant few to one host, and other tabs need them.
 *
 * @returns closes it
 */
export function openLiveStream<Data>(source: LiveSource<Data>): () => void {
  let stream: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waitMs = FIRST_WAIT_MS;

  const close = (): void => {
    clearTimeout(timer);
    stream?.close();
    stream = undefined;
  };
  const open = (): void => {
    close();
    source.onState("connecting");
    stream = new EventSource(source.address());
    stream.addEventListener("open", () => {
      waitMs = FIRST_WAIT_MS;
      source.onState("live");
      source.onOpen?.();
    });
    stream.addEventListener(source.event, (event) => {
      const data: Data = JSON.parse(event.data);
      source.onData(data);
    });
    for (const [event, take] of Object.entries(source.others ?? {})) {
      stream.addEventListener(event, ({ data }: MessageEvent<string>) => take(data));
    }
    stream.addEventListener("error", () => {
      close();
      source.onState("lost");
      timer = setTimeout(open, waitMs);
      waitMs = Math.min(waitMs * 2, MAX_WAIT_MS);
    });
  };
  const followVisibility = (): void => {
    if (document.visibilityState === "visible") {
      if (stream === undefined) open();
      return;
    }
    close();
    source.onState("idle");
  };
  document.addEventListener("visibilitychange", followVisibility);
  if (document.visibilityState === "visible") open();
  return () => {
    document.removeEventListener("visibilitychange", followVisibility);
    close();
  };
}
