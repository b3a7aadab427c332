/** The flags that every command of an operator has. */
import { outputFormat } from '../flag/kinds.ts'
import { serverSocketFlags } from '../rpc/socket-path.ts'

export const operatorFlags = {
  ...serverSocketFlags,
  output: outputFormat('form of the output'),
}
