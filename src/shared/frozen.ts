/** The very value, which nobody can change any more: a tree of plain objects and arrays, to any depth. */
export function frozen<Tree>(tree: Tree): Tree {
  if (typeof tree !== 'object' || tree === null) return tree;
  for (const member of Object.values(tree)) frozen(member);
  return Object.freeze(tree);
}
