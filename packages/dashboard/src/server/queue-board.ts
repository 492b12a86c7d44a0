import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { ExpressAdapter } from "@bull-board/express";
import type { Store } from "@fanfold/store";
import type { RequestHandler } from "express";
import { jobPage } from "./job-page.ts";
import { type ListedQueue, listQueues } from "./list-queues.ts";

/** Bull Board over the queues of a deployment. */
export class QueueBoard {
  readonly #store: Store;
  readonly #pagePath: string;
  readonly #server = new ExpressAdapter();
  readonly #board: ReturnType<typeof createBullBoard>;
  #refreshing: Promise<void> | undefined;

  /**
   * @param basePath path that {@link handler} is mounted at
   * @param pagePath path of the web page, to which jobs link
   */
  constructor(store: Store, basePath: string, pagePath: string) {
    this.#store = store;
    this.#pagePath = pagePath;
    this.#server.setBasePath(basePath);
    const uiConfig = { boardTitle: "Fanfold", hideDocsLink: true, sortQueues: true };
    this.#board = createBullBoard({ queues: [], serverAdapter: this.#server, options: { uiConfig } });
  }

  /** What answers the requests below the base path. */
  get handler(): RequestHandler {
    return this.#server.getRouter();
  }

  /** Looks which queues there are now. Calls during a refresh share it. */
  refresh(options: { signal: AbortSignal }): Promise<void> {
    this.#refreshing ??= this.#refresh(options).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh({ signal }: { signal: AbortSignal }): Promise<void> {
    const queues = await listQueues(this.#store, { signal });
    if (!signal.aborted) this.#board.replaceQueues(queues.map((queue) => this.#adapt(queue)));
  }

  /** Only failed jobs have a retry button; the guard refuses what else must not be done. */
  #adapt({ name, description }: ListedQueue): BullMQAdapter {
    const options = { readOnlyMode: false, allowRetries: true, allowCompletedRetries: false, description };
    const externalJobUrl = ({ data }: { data?: unknown }) => jobPage(this.#pagePath, data);
    return new BullMQAdapter(this.#store.queues.queue(name), { ...options, externalJobUrl });
  }
}
