/** Compile-time proof that a schema and a type say the same. */

type Atom = string | number | boolean | null | undefined;

/** A type without `readonly`, all the way down: schemas do not have it. */
type Plain<T> = T extends Atom
  ? T
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : { -readonly [K in keyof T]: Plain<T[K]> };

/** The same with every field required, so that one that is optional cannot be forgotten. */
type Whole<T> = T extends Atom
  ? T
  : T extends readonly (infer Item)[]
    ? Whole<Item>[]
    : { -readonly [K in keyof T]-?: Whole<Exclude<T[K], undefined>> };

type Both<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** `true` if each can stand for the other, with the same fields, else `false`. */
export type Exact<A, B> = Both<Plain<A>, Plain<B>> extends true ? Both<Whole<A>, Whole<B>> : false;

/** Does not compile unless `T` is `true`: `held<Exact<z.infer<typeof schema>, Type>>()`. All that it does is done by the compiler. */
export function held<T extends true>(_proof?: T): void {
  return undefined;
}
