/** Questions about types: which one an operation gives, which one can be stored in which. */
import { type DType, dtypeInfo, promote } from '../../storage/dtype.js';
import { canStore } from './inplace.js';
import { type Operand, resultType as typeOf } from './promotion.js';

/** The smallest type that holds the values of both. torch.promote_types */
export function promoteTypes(type1: DType, type2: DType): DType {
  return promote(dtypeInfo('promoteTypes', type1), dtypeInfo('promoteTypes', type2)).name;
}

/**
 * The type of an operation on the two: tensors with dimensions decide before scalars, and these before numbers.
 * torch.result_type
 */
export function resultType(tensor: Operand, other: Operand): DType {
  return typeOf('resultType', [tensor, other]).name;
}

/**
 * Whether values of one type may be stored in another in place: not a fraction in an integer, not a number in a bool.
 * torch.can_cast
 */
export function canCast(from: DType, to: DType): boolean {
  return canStore(dtypeInfo('canCast', from), dtypeInfo('canCast', to));
}
