/** The flags that every command of a workload has. */
import { outputFormat, timeout } from '../flag/kinds.ts'
import { agentSocketFlags } from '../rpc/socket-path.ts'

export const workloadFlags = {
  ...agentSocketFlags,
  output: outputFormat('form of the output'),
  timeout: timeout('how long to wait for the answer', '5s'),
}
