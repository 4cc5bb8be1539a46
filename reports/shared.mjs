// What many objects of the same kind have in common, and what each has besides.

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const same = (values) => values.every((value) => JSON.stringify(value) === JSON.stringify(values[0]));

/**
 * {common, own: [of each]}: put together, `common` and one of `own` are again what was given. Of one object
 * everything is its own.
 */
export function shared(objects) {
  if (objects.length < 2) return {common: {}, own: objects};
  const common = {};
  const own = objects.map(() => ({}));
  const names = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  for (const name of names) {
    const values = objects.map((object) => object[name]);
    if (values[0] !== undefined && same(values)) {
      common[name] = values[0];
    } else if (values.every(isObject)) {
      const inside = shared(values);
      if (Object.keys(inside.common).length > 0) common[name] = inside.common;
      inside.own.forEach((value, at) => {
        if (Object.keys(value).length > 0 || Object.keys(values[at]).length === 0) own[at][name] = value;
      });
    } else {
      values.forEach((value, at) => value !== undefined && Object.assign(own[at], {[name]: value}));
    }
  }
  return {common, own};
}
