/** The methods of every service that we know, as the text of a module: for `npm run proto`, and for the test that it was run. */
import { definitionsOf, PROTO_FILES } from './load.ts'

export function methodsTable(): string {
  const services = new Map<string, string>()
  for (const file of PROTO_FILES) {
    for (const [name, definition] of Object.entries(definitionsOf(file))) {
      // Messages and enums say in which format they are described.
      if ('format' in definition) continue
      const lines = Object.entries(definition).map(
        ([method, { requestStream, responseStream }]) =>
          `    ${method}: { requests: ${requestStream}, answers: ${responseStream} },\n`,
      )
      services.set(name, `  '${name}': {\n${lines.join('')}  },\n`)
    }
  }
  const text = [...services].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, lines]) => lines)
  return `/** Written by \`npm run proto\`: services, their methods, and which of both sides is a stream. */
export const METHODS = {
${text.join('')}} as const
`
}
