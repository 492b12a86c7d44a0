import { useReactFlow, useStore, useStoreApi } from "@xyflow/react";
import { type ReactNode, type RefObject, useEffect, useRef } from "react";
import { NODE_HEIGHT_PX, NODE_WIDTH_PX, type NodePlace } from "./layers.ts";

/** How a graph is fitted into its view. One that would become too small to read is not shown as a whole. */
export const FIT = { padding: 0.12, minZoom: 0.45, maxZoom: 1.1 };

/** Least zoom at which a phase is shown that was out of sight. */
const READABLE_ZOOM = 0.6;

interface KeepInSightProps {
  /** The chosen one. */
  readonly phase: string | null;
  readonly places: ReadonlyMap<string, NodePlace>;
  /** Whether somebody has moved or zoomed the graph: then it is not fitted again. */
  readonly isMoved: RefObject<boolean>;
}

/**
 * Fits the graph into its view, again when either changes its size, as with the details beside it. Brings the chosen
 * phase into sight, and leaves the view alone when it is: its neighbours stay where they are.
 */
export function KeepInSight({ phase, places, isMoved }: KeepInSightProps): ReactNode {
  const { fitView, setCenter } = useReactFlow();
  const store = useStoreApi();
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const fitted = useRef<unknown[]>([]);
  useEffect(() => {
    let isStale = false;
    const shape = [places, width, height];
    const isSame = shape.every((part, index) => part === fitted.current[index]);
    const show = (): void => {
      const place = phase === null ? undefined : places.get(phase);
      if (isStale || place === undefined || isInSight(place, store.getState())) return;
      const [, , zoom] = store.getState().transform;
      const [x, y] = [place.x + NODE_WIDTH_PX / 2, place.y + NODE_HEIGHT_PX / 2];
      void setCenter(x, y, { zoom: Math.max(READABLE_ZOOM, zoom), duration: 0 });
    };
    fitted.current = shape;
    if (isSame || isMoved.current) show();
    else void fitView(FIT).then(show);
    return () => {
      isStale = true;
    };
  }, [phase, places, width, height, isMoved, store, fitView, setCenter]);
  return null;
}

interface View {
  readonly transform: readonly [x: number, y: number, zoom: number];
  readonly width: number;
  readonly height: number;
}

/** Whether all of a node is in sight. */
function isInSight({ x, y }: NodePlace, { transform: [shiftX, shiftY, zoom], width, height }: View): boolean {
  const [left, top] = [x * zoom + shiftX, y * zoom + shiftY];
  return left >= 0 && top >= 0 && left + NODE_WIDTH_PX * zoom <= width && top + NODE_HEIGHT_PX * zoom <= height;
}
