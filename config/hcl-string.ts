/**
 * The two kinds of text in HCL version 1: quoted strings with escapes, and heredocs.
 * `${…}` inside quotes is kept as written, as HashiCorp's library does. Refuses escapes that are
 * not UTF-8, which could not be read back.
 */

/** A read text and where the source goes on, or what is wrong and where. */
export type Scanned =
  | { readonly kind: 'text'; readonly value: string; readonly end: number }
  | {
      readonly kind: 'wrong'
      readonly offset: number
      readonly message: string
      readonly expected: string
    }

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
}

/** After the backslash: one of three octal digits, `x` and two, `u` and four, `U` and eight. */
const NUMBERED_ESCAPE = /([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})/y

/** Plain characters of a string: anything but its end, an escape, a dollar sign, a line end. */
const PLAIN = /[^"\\$\n]+/y

const MAX_BYTE_ESCAPE = 0x7f
const MAX_CODE_POINT = 0x10ffff

/** Reads the quoted string whose opening quote is at `start`. */
export function scanQuoted(text: string, start: number): Scanned {
  let value = ''
  let offset = start + 1
  for (;;) {
    PLAIN.lastIndex = offset
    const plain = PLAIN.exec(text)?.[0] ?? ''
    value += plain
    offset += plain.length
    const char = text[offset]
    if (char === '"') return { kind: 'text', value, end: offset + 1 }
    if (char === undefined || char === '\n') return unterminated(start)
    if (char === '\\') {
      const escaped = scanEscape(text, offset)
      if (escaped.kind === 'wrong') return escaped
      value += escaped.value
      offset = escaped.end
    } else if (text[offset + 1] === '{') {
      const end = endOfInterpolation(text, offset + 2)
      if (end === undefined) return unterminated(start)
      value += text.slice(offset, end)
      offset = end
    } else {
      value += char
      offset += 1
    }
  }
}

function unterminated(start: number): Scanned {
  return {
    kind: 'wrong',
    offset: start,
    message: 'the string has no end',
    expected: 'a closing quote on the same line',
  }
}

/** Inside `${…}` quotes and line ends are ordinary characters; braces nest. */
function endOfInterpolation(text: string, start: number): number | undefined {
  let depth = 1
  for (let offset = start; offset < text.length; offset += 1) {
    const char = text[offset]
    if (char === '\\') offset += 1
    else if (char === '{') depth += 1
    else if (char === '}') depth -= 1
    if (depth === 0) return offset + 1
  }
  return undefined
}

function scanEscape(text: string, offset: number): Scanned {
  const letter = text[offset + 1] ?? ''
  const simple = Object.hasOwn(SIMPLE_ESCAPES, letter) ? SIMPLE_ESCAPES[letter] : undefined
  if (simple !== undefined) return { kind: 'text', value: simple, end: offset + 2 }
  const wrong = (message: string, expected: string): Scanned => ({
    kind: 'wrong',
    offset,
    message,
    expected,
  })
  NUMBERED_ESCAPE.lastIndex = offset + 1
  const [whole, octal, byte, short, long] = NUMBERED_ESCAPE.exec(text) ?? []
  if (whole === undefined) {
    return wrong('unknown escape in a string', '\\n, \\t, \\", \\\\ or \\u and four hex digits')
  }
  const code =
    octal === undefined
      ? Number.parseInt(byte ?? short ?? long ?? '', 16)
      : Number.parseInt(octal, 8)
  if ((octal ?? byte) !== undefined && code > MAX_BYTE_ESCAPE) {
    return wrong('an escape names a byte that is no character', '\\u and four hex digits')
  }
  if (code > MAX_CODE_POINT || (code >= 0xd800 && code <= 0xdfff)) {
    return wrong('an escape names no character', 'a Unicode code point')
  }
  return { kind: 'text', value: String.fromCodePoint(code), end: offset + 1 + whole.length }
}

const HEREDOC_HEAD = /<<(-?)([\p{L}\p{Nd}_]+)\n/uy

/** Reads the heredoc that starts with `<<` at `start`. Line ends are `\n` here. */
export function scanHeredoc(text: string, start: number): Scanned {
  HEREDOC_HEAD.lastIndex = start
  const [head, dash, anchor] = HEREDOC_HEAD.exec(text) ?? []
  if (head === undefined || anchor === undefined) {
    const message = 'unexpected <'
    return { kind: 'wrong', offset: start, message, expected: '<<NAME at the end of a line' }
  }
  const lines: string[] = []
  for (let offset = start + head.length; offset <= text.length; ) {
    const newline = text.indexOf('\n', offset)
    const end = newline === -1 ? text.length : newline
    const line = text.slice(offset, end)
    if (line.trim() === anchor) {
      const indent = line.slice(0, line.indexOf(anchor))
      const value = dash === '' ? [...lines, indent].join('\n') : unindent(lines, indent)
      return { kind: 'text', value, end: newline === -1 ? end : end + 1 }
    }
    lines.push(line)
    offset = end + 1
  }
  const message = `the text after <<${anchor} has no end`
  return { kind: 'wrong', offset: start, message, expected: `${anchor} on a line of its own` }
}

/** Takes the last line's indentation off every line, unless some line has less. */
function unindent(lines: readonly string[], indent: string): string {
  const indented = lines.every((line) => line.startsWith(indent))
  const body = indented ? lines.map((line) => line.slice(indent.length)) : lines
  return [...body, ''].join('\n')
}
