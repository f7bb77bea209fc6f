"""The ament_python package: ``colcon build --packages-select bindrt_ros2``."""

from setuptools import setup

NAME = "bindrt_ros2"

setup(
    name=NAME,
    version="0.1.0",
    packages=[NAME],
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/config", ["config/bindrt.yaml"]),
        (f"share/{NAME}/launch", ["launch/bindrt.launch.py"]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer="bindrt",
    maintainer_email="maintainers@bindrt.invalid",
    description="Embeds what a robot's sensors publish, and tells events, with bindrt.",
    license="Apache-2.0",
    entry_points={"console_scripts": [f"embed = {NAME}.node:main"]},
)
