"""The works that the methods text cites."""

REFERENCES = {
    "McClure et al., 2020": "McClure P, Moraczewski D, Lam KC, Thomas A, Pereira F (2020). "
    "Improving the interpretability of fMRI decoding using deep neural networks and adversarial "
    "robustness. arXiv:2004.11114.",
    "Gorgolewski et al., 2016": "Gorgolewski KJ et al. (2016). The brain imaging data structure, "
    "a format for organizing and describing outputs of neuroimaging experiments. Scientific Data "
    "3:160044. doi:10.1038/sdata.2016.44.",
    "Ciric et al., 2022": "Ciric R et al. (2022). TemplateFlow: FAIR-sharing of multi-scale, "
    "multi-species brain models. Nature Methods 19:1568–1571. doi:10.1038/s41592-022-01681-2.",
    "Abraham et al., 2014": "Abraham A et al. (2014). Machine learning for neuroimaging with "
    "scikit-learn. Frontiers in Neuroinformatics 8:14. doi:10.3389/fninf.2014.00014.",
    "Salimans & Kingma, 2016": "Salimans T, Kingma DP (2016). Weight normalization: a simple "
    "reparameterization to accelerate training of deep neural networks. arXiv:1602.07868.",
    "Kingma & Ba, 2015": "Kingma DP, Ba J (2015). Adam: a method for stochastic optimization. "
    "arXiv:1412.6980.",
    "Shafahi et al., 2019": "Shafahi A et al. (2019). Adversarial training for free! "
    "arXiv:1904.12843.",
    "Madry et al., 2018": "Madry A, Makelov A, Schmidt L, Tsipras D, Vladu A (2018). Towards "
    "deep learning models resistant to adversarial attacks. arXiv:1706.06083.",
    "Zhang et al., 2018": "Zhang H, Cisse M, Dauphin YN, Lopez-Paz D (2018). mixup: beyond "
    "empirical risk minimization. arXiv:1710.09412.",
    "Guo et al., 2017": "Guo C, Pleiss G, Sun Y, Weinberger KQ (2017). On calibration of modern "
    "neural networks. arXiv:1706.04599.",
    "Simonyan et al., 2013": "Simonyan K, Vedaldi A, Zisserman A (2013). Deep inside "
    "convolutional networks: visualising image classification models and saliency maps. "
    "arXiv:1312.6034.",
    "Shrikumar et al., 2016": "Shrikumar A, Greenside P, Shcherbina A, Kundaje A (2016). Not just "
    "a black box: learning important features through propagating activation differences. "
    "arXiv:1605.01713.",
    "Smilkov et al., 2017": "Smilkov D, Thorat N, Kim B, Viégas F, Wattenberg M (2017). "
    "SmoothGrad: removing noise by adding noise. arXiv:1706.03825.",
    "Thomas et al., 2023": "Thomas AW, Ré C, Poldrack RA (2023). Benchmarking explanation methods "
    "for mental state decoding with deep learning models. NeuroImage 273:120109. "
    "doi:10.1016/j.neuroimage.2023.120109.",
}


def cited_in(paragraphs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the references that a text cites, in alphabetical order.

    >>> [each[:10] for each in cited_in(("Adam (Kingma & Ba, 2015) was used.",))]
    ['Kingma DP,']
    """
    text = " ".join(paragraphs)
    return tuple(sorted(full for key, full in REFERENCES.items() if key in text))
