/**
 * Values as HCL version 1 writes them, with what SPIRE 1.15.3 was seen to read; undefined is refused.
 * `test/interop/config.test.ts` asks the real program again.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL keeps them as they are

export interface HclValue {
  readonly title: string
  /** What stands after `key = `. */
  readonly written: string
  /** The text that is read, or undefined when the file is refused. */
  readonly read: string | undefined
}

const value = (title: string, written: string, read: string | undefined): HclValue => ({
  title,
  written,
  read,
})

export const HCL_VALUES: readonly HclValue[] = [
  value('a plain string', '"abc"', 'abc'),
  value('a quote in a string', '"a\\"b"', 'a"b'),
  value('a tab escape', '"a\\tb"', 'a\tb'),
  value('a tab as it is', '"a\tb"', 'a\tb'),
  value('a hexadecimal escape', '"\\x41"', 'A'),
  value('a four-digit Unicode escape', '"\\u00e9"', 'é'),
  value('an eight-digit Unicode escape', '"\\U0001F600"', '😀'),
  value('an octal escape', '"\\101"', 'A'),
  value('an octal escape with two digits', '"\\10"', undefined),
  value('an unknown escape', '"a\\qb"', undefined),
  value('a line end in a string', '"a\nb"', undefined),
  value('a string without an end', '"abc', undefined),
  value('a zero byte in a string', '"a\0b"', undefined),
  value('single quotes', "'a'", undefined),
  value('a quote inside an interpolation', '"${a"b}c"', '${a"b}c'),
  value('a line end inside an interpolation', '"${a\nb}c"', '${a\nb}c'),
  value('braces inside an interpolation', '"${a{}b}c"', '${a{}b}c'),
  value('an interpolation without an end', '"${a"', undefined),
  value('a lone dollar sign', '"$a"', '$a'),
  value('two dollar signs', '"$${a}"', '$${a}'),
  value('a heredoc', '<<EOF\nx\ny\nEOF\n', 'x\ny\n'),
  value('a heredoc with Windows line ends', '<<EOF\r\nx\r\nEOF\r\n', 'x\n'),
  value('a heredoc whose end is indented', '<<EOF\nx\ny\n  EOF\n', 'x\ny\n  '),
  value('an indented heredoc', '<<-EOF\n    x\n      y\n    EOF\n', 'x\n  y\n'),
  value('an indented heredoc with tabs', '<<-EOF\n\tx\n\tEOF\n', 'x\n'),
  value('an indented heredoc with a line to the left', '<<-EOF\n  x\n y\n    EOF\n', '  x\n y\n'),
  value('a heredoc without an end', '<<EOF\nx\n', undefined),
  value('a heredoc with a space before its name', '<< EOF\nx\nEOF\n', undefined),
  value('a heredoc with a dash in its name', '<<E-F\nx\nE-F\n', undefined),
  value('half a heredoc', '<EOF', undefined),
  value('a number for a text', '5', '5'),
  value('a negative number', '-5', '-5'),
  value('a hexadecimal number', '0X1f', '0X1f'),
  value('a number beyond 64 bits', '99999999999999999999', '99999999999999999999'),
  value('a plus sign', '+5', undefined),
  value('a minus sign alone', '- 5', undefined),
  value('a hexadecimal number without digits', '0x', undefined),
  value('letters after a number', '5abc', undefined),
  value('a word', 'abc', undefined),
  value('null', 'null', undefined),
  value('no value', '', undefined),
  value('two equal signs', '= "a"', undefined),
  value('two strings', '"a" "b"', undefined),
  value('a colon', ': "a"', undefined),
]

/**
 * Whole bodies of `server { … }` and what SPIRE does with them: it reads them, refuses their syntax,
 * or reads the syntax and refuses the type of a value.
 */
export const HCL_BODIES: readonly (readonly [
  title: string,
  body: string,
  verdict: 'read' | 'refused' | 'mistyped',
])[] = [
  ['an empty body', '', 'read'],
  ['members divided by commas', 'bind_port = 1, log_level = "INFO"', 'read'],
  ['members divided by nothing', 'bind_port = 1 log_level = "INFO"', 'read'],
  ['a comma at the end', 'bind_port = 1,', 'read'],
  ['a comma at the beginning', ', bind_port = 1', 'refused'],
  ['two commas', 'bind_port = 1,, log_level = "INFO"', 'refused'],
  ['a quoted key', '"bind_port" = 1', 'read'],
  ['a key in capitals', 'BIND_PORT = 1', 'read'],
  ['a colon for an equal sign', 'bind_port: 1', 'refused'],
  ['a list with a comma at its end', 'admin_ids = ["spiffe://a/b",]', 'read'],
  ['a list with two commas', 'admin_ids = ["spiffe://a/b",,"spiffe://a/c"]', 'read'],
  ['a list that begins with a comma', 'admin_ids = [,"spiffe://a/b"]', 'read'],
  ['a list without commas', 'admin_ids = ["spiffe://a/b" "spiffe://a/c"]', 'refused'],
  ['a list without an end', 'admin_ids = ["spiffe://a/b"', 'refused'],
  ['a list in parentheses', 'admin_ids = ("spiffe://a/b")', 'refused'],
  ['a block', 'ca_subject { country = ["US"] }', 'read'],
  ['a block with an equal sign', 'ca_subject = { country = ["US"], common_name = "" }', 'read'],
  ['a labelled block with an equal sign', 'ca_subject "x" = {}', 'refused'],
  ['a block without an end', 'ca_subject {', 'refused'],
  ['a bare object', '{}', 'refused'],
  ['a key alone', 'bind_port', 'refused'],
  ['a number as key', '5 = 1', 'refused'],
  ['a truth value as key', 'true = 1', 'refused'],
  ['comments of all kinds', '# a\n// b\n/* c\n */ bind_port = 1 # d', 'read'],
  ['a comment after an equal sign', 'bind_port = # here\n 1', 'read'],
  ['a comment without an end', '/* c', 'refused'],
  ['half a comment', '/ c', 'refused'],
  ['a number in quotes', 'bind_port = "8081"', 'read'],
  ['a truth value in quotes', 'disable_jwt_svids = "true"', 'mistyped'],
  ['a number with a fraction', 'bind_port = 8081.0', 'mistyped'],
  ['a text for a list', 'admin_ids = "spiffe://a/b"', 'mistyped'],
]
