"""Builds the wheel and the source distribution of mprof: the hooks of PEP 517 and 660. CMake builds, patchelf lets
bundled libraries be found; nothing else is needed. Settings are in docs/install.md."""

import os
import shutil
import tempfile

from . import archive, build, bundle, elf, metadata, tree

__all__ = ["build_editable", "build_sdist", "build_wheel", "get_requires_for_build_editable",
           "get_requires_for_build_wheel", "prepare_metadata_for_build_editable", "prepare_metadata_for_build_wheel"]


def get_requires_for_build_wheel(config_settings=None):
    """Tools that this machine lacks, as packages: nothing where all are installed."""
    settings = build.Settings(config_settings)
    return [package for command, package in settings.tools() if not shutil.which(command)]


get_requires_for_build_editable = get_requires_for_build_wheel


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = metadata.dist_info()
    os.makedirs(os.path.join(metadata_directory, folder))
    for name, text in metadata.files().items():
        with open(os.path.join(metadata_directory, folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return folder


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    settings = build.Settings(config_settings)
    with tempfile.TemporaryDirectory(prefix="mprof-wheel-") as place:
        stage = os.path.join(place, "stage")
        build.install(settings, stage, metadata.soversion())
        files = tree.wheel_files(stage)
        native = tree.native_folder()
        libraries = os.path.join(place, "libs")
        os.mkdir(libraries)
        sources = bundle.linked_archives() + bundle.libraries(libraries, files, native + "/libs")
        files.update(tree.files_of(libraries, native + "/libs"))
        if native + "/mprof-draw" in files:
            fonts, font_sources = bundle.fonts()
            files.update({native + "/fonts/" + os.path.basename(path): path for path in fonts})
            sources += font_sources
        files.update(bundle.licence_files(sources, os.path.join(place, "licences"), metadata.dist_info()))
        tag = elf.wheel_tag(files.values())
        return _write(wheel_directory, tag, files)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """A wheel with links to the build tree, where the packages are links to the source."""
    settings = build.Settings(config_settings)
    place = build.build(settings, is_kept=True)
    with tempfile.TemporaryDirectory(prefix="mprof-wheel-") as folder:
        script, link = os.path.join(folder, "mprof"), os.path.join(folder, "link")
        with open(script, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexec '{}/mprof' \"$@\"\n".format(place.replace("'", "'\\''")))
        os.chmod(script, 0o755)
        with open(link, "w", encoding="utf-8") as file:
            file.write(os.path.join(place, "python") + "\n")
        files = {tree.scripts_folder() + "/mprof": script, "_mprof_editable.pth": link}
        return _write(wheel_directory, elf.wheel_tag([os.path.join(place, "mprof")]), files)


def _write(directory, tag, files):
    texts = {f"{metadata.dist_info()}/{name}": text for name, text in metadata.files(tag).items()}
    name = f"mprof-{metadata.version()}-{tag}.whl"
    archive.write_wheel(os.path.join(directory, name), files, texts, metadata.dist_info())
    return name


def build_sdist(sdist_directory, config_settings=None):
    stem = f"mprof-{metadata.version()}"
    names = tree.source_files()
    archive.write_sdist(os.path.join(sdist_directory, stem + ".tar.gz"), stem, build.SOURCE, names,
                        {"PKG-INFO": metadata.files()["METADATA"]})
    return stem + ".tar.gz"
