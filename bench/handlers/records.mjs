/** Makes `COUNT` small records. */
export default function* records(ctx) {
  for (let n = 0; n < Number(ctx.env.COUNT); n += 1) yield { n };
}
