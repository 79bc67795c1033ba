/* Loaded into a Python by a test, to make it look like a free-threaded one: all of those export
 * this function, and no others. */
__attribute__((visibility("default"))) void _Py_DecRefShared(void *object);

void _Py_DecRefShared(void *object)
{
    (void)object;
}
