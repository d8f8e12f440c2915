import {
  canEncodeProtobuf,
  decodeKubernetesProtobuf,
  encodeKubernetesProtobuf,
} from '../../api/schema/kubernetes-protobuf.ts'
import type { ProtobufCodec } from './encode.ts'

/** The codec of the built-in kinds. */
export const kubernetesProtobuf: ProtobufCodec = {
  canEncode: canEncodeProtobuf,
  encode: encodeKubernetesProtobuf,
  decode: bytes => decodeKubernetesProtobuf(bytes),
}
